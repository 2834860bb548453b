//! A packet in words, one `Name = value` a line: for `radius decode`, for logs an operator asked for, for tests.
//! What is hidden stays hidden unless the secret is given; a password is shown only then.

use super::value::hex;
use super::{Entry, Hiding, Type, by_number, decode};
use crate::attribute::VENDOR_SPECIFIC;
use crate::auth::pap;
use crate::authenticator::Secret;
use crate::packet::{Attributes, Code, Packet};
use crate::writer::salt_decrypt;

/// `Name = value`; texts stand in quotes, control characters escaped.
pub fn format(entry: &Entry, bytes: &[u8]) -> String {
    format!("{} = {}", entry.name, quoted(entry, decode(entry, bytes)))
}

fn quoted(entry: &Entry, text: String) -> String {
    if entry.kind == Type::String { format!("\"{}\"", text.escape_debug()) } else { text }
}

/// The whole packet: its code and identifier, then a line for each attribute in order.
pub fn format_packet(packet: &Packet<'_>, secret: Option<&Secret>) -> String {
    let mut out = match packet.code().name() {
        "Unknown-Code" => format!("Code {} id {}\n", packet.code().0, packet.id()),
        name => format!("{name} id {}\n", packet.id()),
    };
    // The salt of an answer needs the request's authenticator, which the answer does not have.
    let context = Context { authenticator: packet.authenticator(), secret, is_request: is_request(packet.code()) };
    for attribute in packet.attributes() {
        if attribute.kind == VENDOR_SPECIFIC {
            vendor_lines(&mut out, attribute.value, &context);
        } else {
            line(&mut out, &context.words(0, attribute.kind, attribute.value));
        }
    }
    out
}

fn is_request(code: Code) -> bool {
    matches!(code, Code::AccessRequest)
}

fn line(out: &mut String, words: &str) {
    out.push_str("    ");
    out.push_str(words);
    out.push('\n');
}

/// A VSA's sub-attributes; what is left over, or a VSA of another shape, as hex.
fn vendor_lines(out: &mut String, value: &[u8], context: &Context<'_>) {
    let Some((id, mut rest)) = value.split_at_checked(4) else {
        return line(out, &format!("Vendor-Specific = {}", hex(value)));
    };
    let vendor = u32::from_be_bytes([id[0], id[1], id[2], id[3]]);
    for attribute in Attributes::over(rest) {
        line(out, &context.words(vendor, attribute.kind, attribute.value));
        rest = &rest[2 + attribute.value.len()..];
    }
    if !rest.is_empty() {
        line(out, &format!("Vendor-{vendor} = {}", hex(rest)));
    }
}

struct Context<'a> {
    authenticator: &'a [u8; 16],
    secret: Option<&'a Secret>,
    is_request: bool,
}

impl Context<'_> {
    fn words(&self, vendor: u32, kind: u8, value: &[u8]) -> String {
        let Some(entry) = by_number(vendor, kind) else {
            return match vendor {
                0 => format!("Attr-{kind} = {}", hex(value)),
                _ => format!("Attr-26.{vendor}.{kind} = {}", hex(value)),
            };
        };
        match entry.hiding {
            Hiding::None => format(entry, value),
            Hiding::Password => match self.secret.filter(|_| self.is_request) {
                Some(secret) => self.revealed(entry, value, secret),
                None => format!("{} = <hidden>", entry.name),
            },
            Hiding::Salted => match self.secret.filter(|_| self.is_request) {
                Some(secret) => match salt_decrypt(value, secret, self.authenticator) {
                    Some(plain) => format(entry, &plain),
                    None => format!("{} = {}", entry.name, hex(value)),
                },
                None => format!("{} = <hidden>", entry.name),
            },
        }
    }

    fn revealed(&self, entry: &Entry, value: &[u8], secret: &Secret) -> String {
        match pap::reveal(value, secret, self.authenticator) {
            Some(password) => format(entry, password.bytes()),
            None => format!("{} = {}", entry.name, hex(value)),
        }
    }
}
