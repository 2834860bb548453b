//! Writing a packet into a buffer the caller owns: plain, vendor, tagged (RFC 2868 §3), and salt-encrypted values
//! (RFC 2868 §3.5, RFC 2548 §2.4.2). What does not fit is an [`Overflow`], and then nothing of it was written.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicU16, Ordering};

use crate::attribute::{MESSAGE_AUTHENTICATOR, VENDOR_SPECIFIC};
use crate::authenticator::{Secret, md5};
use crate::packet::{Attributes, Code, HEADER, MAX_PACKET, MAX_VALUE};

/// The attribute is longer than 253 bytes or the packet than its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("attribute {kind} does not fit")]
pub struct Overflow {
    pub kind: u8,
}

/// A packet being written. `B` is `&mut [u8]` on a server's hot path, `Vec<u8>` elsewhere.
pub struct Writer<B> {
    buffer: B,
    len: usize,
    limit: usize,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Writer<B> {
    /// Begins a packet; the buffer must hold at least the 20-byte header.
    pub fn new(mut buffer: B, code: Code, id: u8) -> Writer<B> {
        let limit = buffer.as_ref().len().min(MAX_PACKET);
        assert!(limit >= HEADER, "a packet needs 20 bytes");
        let header = &mut buffer.as_mut()[..HEADER];
        header.fill(0);
        header[0] = code.0;
        header[1] = id;
        Writer { buffer, len: HEADER, limit }
    }

    /// Keeps `bytes` free at the end, for what must follow.
    pub fn reserve(&mut self, bytes: usize) {
        self.limit = self.limit.saturating_sub(bytes).max(self.len);
    }

    pub fn release(&mut self, bytes: usize) {
        self.limit = (self.limit + bytes).min(self.buffer.as_ref().len()).min(MAX_PACKET);
    }

    pub fn set_code(&mut self, code: Code) {
        self.buffer.as_mut()[0] = code.0;
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == HEADER
    }

    /// The packet so far; Length and authenticators are set by signing.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer.as_ref()[..self.len]
    }

    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.buffer.as_mut()[..self.len]
    }

    /// Forgets attributes written after `len` (a value [`Writer::len`] gave).
    pub fn truncate(&mut self, len: usize) {
        self.len = len.clamp(HEADER, self.len);
    }

    pub fn attributes(&self) -> Attributes<'_> {
        Attributes::over(&self.bytes()[HEADER..])
    }

    /// Room for one attribute whose value has `size` bytes.
    fn claim(&mut self, kind: u8, size: usize) -> Result<&mut [u8], Overflow> {
        if size > MAX_VALUE || self.len + 2 + size > self.limit {
            return Err(Overflow { kind });
        }
        let at = self.len;
        self.len += 2 + size;
        let attribute = &mut self.buffer.as_mut()[at..at + 2 + size];
        attribute[0] = kind;
        attribute[1] = (2 + size) as u8;
        Ok(&mut attribute[2..])
    }

    pub fn put(&mut self, kind: u8, value: &[u8]) -> Result<(), Overflow> {
        self.claim(kind, value.len())?.copy_from_slice(value);
        Ok(())
    }

    pub fn put_text(&mut self, kind: u8, value: &str) -> Result<(), Overflow> {
        self.put(kind, value.as_bytes())
    }

    pub fn put_u32(&mut self, kind: u8, value: u32) -> Result<(), Overflow> {
        self.put(kind, &value.to_be_bytes())
    }

    pub fn put_ipv4(&mut self, kind: u8, value: Ipv4Addr) -> Result<(), Overflow> {
        self.put(kind, &value.octets())
    }

    pub fn put_ipv6(&mut self, kind: u8, value: Ipv6Addr) -> Result<(), Overflow> {
        self.put(kind, &value.octets())
    }

    /// RFC 3162 §2.3. Bits beyond the prefix are sent as zero.
    pub fn put_prefix(&mut self, kind: u8, address: Ipv6Addr, bits: u8) -> Result<(), Overflow> {
        let bits = bits.min(128);
        let masked = u128::from(address) & u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
        let value = self.claim(kind, 18)?;
        value[..2].copy_from_slice(&[0, bits]);
        value[2..].copy_from_slice(&masked.to_be_bytes());
        Ok(())
    }

    /// A value of any length, split over as many attributes as it needs (EAP-Message, RFC 3579 §3.1).
    pub fn put_long(&mut self, kind: u8, value: &[u8]) -> Result<(), Overflow> {
        let before = self.len;
        for part in value.chunks(MAX_VALUE) {
            if let Err(overflow) = self.put(kind, part) {
                self.len = before;
                return Err(overflow);
            }
        }
        Ok(())
    }

    /// RFC 2868 §3.1: a tag in front of a text, or in the high byte of a number.
    pub fn put_tagged(&mut self, kind: u8, tag: u8, value: &[u8]) -> Result<(), Overflow> {
        let room = self.claim(kind, 1 + value.len())?;
        room[0] = tag;
        room[1..].copy_from_slice(value);
        Ok(())
    }

    pub fn put_tagged_u24(&mut self, kind: u8, tag: u8, value: u32) -> Result<(), Overflow> {
        self.put_u32(kind, (value & 0x00ff_ffff) | u32::from(tag) << 24)
    }

    pub fn put_vendor(&mut self, vendor: u32, kind: u8, value: &[u8]) -> Result<(), Overflow> {
        self.claim_vendor(vendor, kind, value.len())?.copy_from_slice(value);
        Ok(())
    }

    pub fn put_vendor_text(&mut self, vendor: u32, kind: u8, value: &str) -> Result<(), Overflow> {
        self.put_vendor(vendor, kind, value.as_bytes())
    }

    pub fn put_vendor_u32(&mut self, vendor: u32, kind: u8, value: u32) -> Result<(), Overflow> {
        self.put_vendor(vendor, kind, &value.to_be_bytes())
    }

    fn claim_vendor(&mut self, vendor: u32, kind: u8, size: usize) -> Result<&mut [u8], Overflow> {
        let room = self.claim(VENDOR_SPECIFIC, 6 + size).map_err(|_| Overflow { kind })?;
        room[..4].copy_from_slice(&vendor.to_be_bytes());
        room[4] = kind;
        room[5] = (2 + size) as u8;
        Ok(&mut room[6..])
    }

    /// Attributes encoded beforehand, such as a profile's fixed part of a reply.
    pub fn put_encoded(&mut self, attributes: &[u8]) -> Result<(), Overflow> {
        let covered: usize = Attributes::over(attributes).map(|a| a.value.len() + 2).sum();
        let kind = attributes.first().copied().unwrap_or(0);
        if covered != attributes.len() || self.len + attributes.len() > self.limit {
            return Err(Overflow { kind });
        }
        let at = self.len;
        self.len += attributes.len();
        self.buffer.as_mut()[at..at + attributes.len()].copy_from_slice(attributes);
        Ok(())
    }

    /// An empty Message-Authenticator; signing fills it. Returns where its value lies.
    pub fn put_message_authenticator(&mut self) -> Result<usize, Overflow> {
        self.claim(MESSAGE_AUTHENTICATOR, 16)?.fill(0);
        Ok(self.len - 16)
    }

    /// A vendor's salt-encrypted value (MS-MPPE-Send-Key and such, RFC 2548 §2.4.2).
    pub fn put_vendor_salted(
        &mut self,
        vendor: u32,
        kind: u8,
        plain: &[u8],
        secret: &Secret,
        request_authenticator: &[u8; 16],
    ) -> Result<(), Overflow> {
        let salt = next_salt();
        let room = self.claim_vendor(vendor, kind, 2 + salted_size(plain.len()))?;
        room[..2].copy_from_slice(&salt);
        salt_encrypt(&mut room[2..], plain, salt, secret, request_authenticator);
        Ok(())
    }

    /// A tagged, salt-encrypted value (Tunnel-Password, RFC 2868 §3.5).
    pub fn put_tagged_salted(
        &mut self,
        kind: u8,
        tag: u8,
        plain: &[u8],
        secret: &Secret,
        request_authenticator: &[u8; 16],
    ) -> Result<(), Overflow> {
        let salt = next_salt();
        let room = self.claim(kind, 3 + salted_size(plain.len()))?;
        room[0] = tag;
        room[1..3].copy_from_slice(&salt);
        salt_encrypt(&mut room[3..], plain, salt, secret, request_authenticator);
        Ok(())
    }
}

fn salted_size(plain: usize) -> usize {
    (1 + plain).div_ceil(16) * 16
}

/// RFC 2548 §2.4.2: the leftmost bit is set and no salt repeats within one packet; a counter does both.
fn next_salt() -> [u8; 2] {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    (0x8000 | NEXT.fetch_add(1, Ordering::Relaxed)).to_be_bytes()
}

/// b(1) = MD5(secret + authenticator + salt), c(1) = p(1) xor b(1), b(i) = MD5(secret + c(i-1)).
fn salt_encrypt(out: &mut [u8], plain: &[u8], salt: [u8; 2], secret: &Secret, authenticator: &[u8; 16]) {
    out.fill(0);
    out[0] = plain.len() as u8;
    out[1..1 + plain.len()].copy_from_slice(plain);
    let mut pad = md5(&[secret.bytes(), authenticator, &salt]);
    for block in out.chunks_mut(16) {
        block.iter_mut().zip(pad).for_each(|(byte, key)| *byte ^= key);
        pad = md5(&[secret.bytes(), block]);
    }
}

/// Reads back what [`Writer::put_vendor_salted`] wrote: salt and cipher text in, plain text out.
pub fn salt_decrypt(value: &[u8], secret: &Secret, request_authenticator: &[u8; 16]) -> Option<Vec<u8>> {
    let (salt, cipher) = value.split_at_checked(2)?;
    if cipher.is_empty() || !cipher.len().is_multiple_of(16) {
        return None;
    }
    let mut plain = Vec::with_capacity(cipher.len());
    let mut pad = md5(&[secret.bytes(), request_authenticator, salt]);
    for block in cipher.chunks(16) {
        plain.extend(block.iter().zip(pad).map(|(byte, key)| byte ^ key));
        pad = md5(&[secret.bytes(), block]);
    }
    let len = usize::from(plain[0]);
    (len < plain.len()).then(|| plain[1..1 + len].to_vec())
}
