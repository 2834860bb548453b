//! The packet as it lies on the wire: RFC 2865 §3 (header), §5 (attributes), §5.26 (Vendor-Specific), RFC 3579 §3.1
//! (EAP-Message split over attributes). [`Packet`] is a checked view over borrowed bytes; nothing here allocates or
//! trusts a length it has not checked. Signatures are `authenticator`'s affair, names are `dictionary`'s.

use std::net::{Ipv4Addr, Ipv6Addr};

/// RFC 2865 §3: code, identifier, length, authenticator.
pub const HEADER: usize = 20;
/// RFC 2865 §3: the longest packet.
pub const MAX_PACKET: usize = 4096;
/// The longest value of one attribute.
pub const MAX_VALUE: usize = 253;

/// Packet codes (RFC 2865 §4, RFC 2866 §4, RFC 5176 §2.3, RFC 5997 §3). Unknown codes stay numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Code(pub u8);

#[allow(non_upper_case_globals)]
impl Code {
    pub const AccessRequest: Code = Code(1);
    pub const AccessAccept: Code = Code(2);
    pub const AccessReject: Code = Code(3);
    pub const AccountingRequest: Code = Code(4);
    pub const AccountingResponse: Code = Code(5);
    pub const AccessChallenge: Code = Code(11);
    pub const StatusServer: Code = Code(12);
    pub const DisconnectRequest: Code = Code(40);
    pub const DisconnectAck: Code = Code(41);
    pub const DisconnectNak: Code = Code(42);
    pub const CoaRequest: Code = Code(43);
    pub const CoaAck: Code = Code(44);
    pub const CoaNak: Code = Code(45);

    pub fn name(self) -> &'static str {
        match self {
            Code::AccessRequest => "Access-Request",
            Code::AccessAccept => "Access-Accept",
            Code::AccessReject => "Access-Reject",
            Code::AccountingRequest => "Accounting-Request",
            Code::AccountingResponse => "Accounting-Response",
            Code::AccessChallenge => "Access-Challenge",
            Code::StatusServer => "Status-Server",
            Code::DisconnectRequest => "Disconnect-Request",
            Code::DisconnectAck => "Disconnect-ACK",
            Code::DisconnectNak => "Disconnect-NAK",
            Code::CoaRequest => "CoA-Request",
            Code::CoaAck => "CoA-ACK",
            Code::CoaNak => "CoA-NAK",
            _ => "Unknown-Code",
        }
    }
}

/// Why bytes are not a RADIUS packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("shorter than the 20-byte header")]
    Short,
    #[error("Length {length} is outside 20..=4096 or beyond the {received} bytes received")]
    Length { length: usize, received: usize },
    #[error("the attribute at byte {at} is shorter than its header or runs past the packet")]
    Attribute { at: usize },
}

/// A packet whose header and attribute lengths have been checked.
#[derive(Clone, Copy)]
pub struct Packet<'a> {
    bytes: &'a [u8],
}

/// One attribute: `kind` is the RFC's "Type".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute<'a> {
    pub kind: u8,
    pub value: &'a [u8],
}

/// One sub-attribute of a Vendor-Specific attribute in the form RFC 2865 §5.26 recommends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VendorAttribute<'a> {
    pub vendor: u32,
    pub kind: u8,
    pub value: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Checks a datagram. Bytes beyond Length are padding and ignored (RFC 2865 §3).
    pub fn parse(datagram: &'a [u8]) -> Result<Packet<'a>, Malformed> {
        if datagram.len() < HEADER {
            return Err(Malformed::Short);
        }
        let length = usize::from(u16::from_be_bytes([datagram[2], datagram[3]]));
        if !(HEADER..=MAX_PACKET).contains(&length) || length > datagram.len() {
            return Err(Malformed::Length { length, received: datagram.len() });
        }
        let bytes = &datagram[..length];
        let mut at = HEADER;
        while at < length {
            let size = if at + 2 <= length { usize::from(bytes[at + 1]) } else { 0 };
            if size < 2 || at + size > length {
                return Err(Malformed::Attribute { at });
            }
            at += size;
        }
        Ok(Packet { bytes })
    }

    pub fn code(&self) -> Code {
        Code(self.bytes[0])
    }

    pub fn id(&self) -> u8 {
        self.bytes[1]
    }

    pub fn authenticator(&self) -> &'a [u8; 16] {
        self.bytes[4..HEADER].try_into().expect("checked by parse")
    }

    /// The packet without padding.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    pub fn attributes(&self) -> Attributes<'a> {
        Attributes { rest: &self.bytes[HEADER..] }
    }

    /// The first attribute of this kind.
    pub fn find(&self, kind: u8) -> Option<&'a [u8]> {
        self.attributes().find(|a| a.kind == kind).map(|a| a.value)
    }

    pub fn has(&self, kind: u8) -> bool {
        self.find(kind).is_some()
    }

    pub fn find_all(&self, kind: u8) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.attributes().filter(move |a| a.kind == kind).map(|a| a.value)
    }

    /// Where the value of the first attribute of this kind begins in [`Packet::bytes`].
    pub fn value_offset(&self, kind: u8) -> Option<usize> {
        let mut at = HEADER;
        for attribute in self.attributes() {
            if attribute.kind == kind {
                return Some(at + 2);
            }
            at += 2 + attribute.value.len();
        }
        None
    }

    /// Every vendor's sub-attributes, several to a VSA allowed. A VSA in another shape is passed over from the point
    /// where it stops making sense; the raw bytes remain reachable through [`Packet::find_all`]`(26)`.
    pub fn vendor_attributes(&self) -> VendorAttributes<'a> {
        VendorAttributes { attributes: self.attributes(), vendor: 0, rest: &[] }
    }

    /// The first sub-attribute of this vendor and kind.
    pub fn vendor(&self, vendor: u32, kind: u8) -> Option<&'a [u8]> {
        self.vendor_all(vendor, kind).next()
    }

    pub fn vendor_all(&self, vendor: u32, kind: u8) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.vendor_attributes().filter(move |a| a.vendor == vendor && a.kind == kind).map(|a| a.value)
    }

    /// The text of the first attribute of this kind, if it is UTF-8.
    pub fn text(&self, kind: u8) -> Option<&'a str> {
        self.find(kind).and_then(text)
    }

    pub fn u32(&self, kind: u8) -> Option<u32> {
        self.find(kind).and_then(u32_of)
    }

    pub fn ipv4(&self, kind: u8) -> Option<Ipv4Addr> {
        self.find(kind).and_then(ipv4)
    }

    pub fn ipv6(&self, kind: u8) -> Option<Ipv6Addr> {
        self.find(kind).and_then(ipv6)
    }

    pub fn prefix(&self, kind: u8) -> Option<(Ipv6Addr, u8)> {
        self.find(kind).and_then(ipv6_prefix)
    }

    pub fn vendor_text(&self, vendor: u32, kind: u8) -> Option<&'a str> {
        self.vendor(vendor, kind).and_then(text)
    }

    pub fn vendor_u32(&self, vendor: u32, kind: u8) -> Option<u32> {
        self.vendor(vendor, kind).and_then(u32_of)
    }

    /// The value of an attribute that was split over several (EAP-Message, RFC 3579 §3.1), joined into `out`.
    /// Returns its length, or `None` if there is none or it does not fit.
    pub fn join(&self, kind: u8, out: &mut [u8]) -> Option<usize> {
        let mut len = None;
        for part in self.find_all(kind) {
            let start = len.unwrap_or(0);
            out.get_mut(start..start + part.len())?.copy_from_slice(part);
            len = Some(start + part.len());
        }
        len
    }
}

impl std::fmt::Debug for Packet<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} id {} ({} bytes)", self.code().name(), self.id(), self.bytes.len())
    }
}

/// Iterator over checked attributes.
#[derive(Clone)]
pub struct Attributes<'a> {
    rest: &'a [u8],
}

impl<'a> Attributes<'a> {
    /// Over attributes that did not come through [`Packet::parse`]; ends at the first broken length.
    pub fn over(bytes: &'a [u8]) -> Attributes<'a> {
        Attributes { rest: bytes }
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        let (&kind, &size) = (self.rest.first()?, self.rest.get(1)?);
        let value = self.rest.get(2..usize::from(size))?;
        self.rest = &self.rest[usize::from(size)..];
        Some(Attribute { kind, value })
    }
}

/// Iterator over vendor sub-attributes.
#[derive(Clone)]
pub struct VendorAttributes<'a> {
    attributes: Attributes<'a>,
    vendor: u32,
    rest: &'a [u8],
}

impl<'a> Iterator for VendorAttributes<'a> {
    type Item = VendorAttribute<'a>;

    fn next(&mut self) -> Option<VendorAttribute<'a>> {
        loop {
            let mut inner = Attributes { rest: self.rest };
            if let Some(Attribute { kind, value }) = inner.next() {
                self.rest = inner.rest;
                return Some(VendorAttribute { vendor: self.vendor, kind, value });
            }
            let vsa = self.attributes.find(|a| a.kind == 26 && a.value.len() >= 4)?;
            let (id, rest) = vsa.value.split_at(4);
            self.vendor = u32::from_be_bytes(id.try_into().expect("four bytes"));
            self.rest = rest;
        }
    }
}

pub fn text(value: &[u8]) -> Option<&str> {
    std::str::from_utf8(value).ok()
}

pub fn u32_of(value: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(value.try_into().ok()?))
}

pub fn u64_of(value: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(value.try_into().ok()?))
}

pub fn ipv4(value: &[u8]) -> Option<Ipv4Addr> {
    Some(Ipv4Addr::from(<[u8; 4]>::try_from(value).ok()?))
}

pub fn ipv6(value: &[u8]) -> Option<Ipv6Addr> {
    Some(Ipv6Addr::from(<[u8; 16]>::try_from(value).ok()?))
}

/// RFC 3162 §2.3: a reserved byte, the length in bits, and as many bytes of prefix as matter.
pub fn ipv6_prefix(value: &[u8]) -> Option<(Ipv6Addr, u8)> {
    let (&bits, prefix) = (value.get(1)?, value.get(2..)?);
    if bits > 128 || prefix.len() > 16 || prefix.len() * 8 < usize::from(bits) {
        return None;
    }
    let mut address = [0u8; 16];
    address[..prefix.len()].copy_from_slice(prefix);
    Some((Ipv6Addr::from(address), bits))
}
