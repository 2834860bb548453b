//! PAP: User-Password as RFC 2865 §5.2 hides it.

use subtle::ConstantTimeEq;

use crate::authenticator::{Secret, md5};

/// RFC 2865 §5.2: at most 128 characters.
pub const MAX_PASSWORD: usize = 128;

/// A password taken out of its hiding, on the stack.
#[derive(Clone, Copy)]
pub struct Password {
    bytes: [u8; MAX_PASSWORD],
    len: u8,
}

impl Password {
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// In time that does not tell where they differ.
    pub fn matches(&self, known: &[u8]) -> bool {
        self.bytes().ct_eq(known).into()
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

/// Takes the password out of its hiding; `None` if the length is not one the RFC allows. Trailing zero bytes are
/// the padding.
pub fn reveal(hidden: &[u8], secret: &Secret, authenticator: &[u8; 16]) -> Option<Password> {
    if hidden.is_empty() || hidden.len() > MAX_PASSWORD || !hidden.len().is_multiple_of(16) {
        return None;
    }
    let mut bytes = [0u8; MAX_PASSWORD];
    let mut pad = md5(&[secret.bytes(), authenticator]);
    for (at, block) in hidden.chunks_exact(16).enumerate() {
        for i in 0..16 {
            bytes[at * 16 + i] = block[i] ^ pad[i];
        }
        if (at + 1) * 16 < hidden.len() {
            pad = md5(&[secret.bytes(), block]);
        }
    }
    let len = bytes[..hidden.len()].iter().rposition(|b| *b != 0).map_or(0, |last| last + 1);
    Some(Password { bytes, len: len as u8 })
}

/// Hides a password, as a NAS does. What is longer than 128 bytes is cut.
pub fn hide(password: &[u8], secret: &Secret, authenticator: &[u8; 16]) -> Vec<u8> {
    let password = &password[..password.len().min(MAX_PASSWORD)];
    let mut out = password.to_vec();
    out.resize(password.len().max(1).div_ceil(16) * 16, 0);
    let mut pad = md5(&[secret.bytes(), authenticator]);
    for block in out.chunks_mut(16) {
        block.iter_mut().zip(pad).for_each(|(byte, key)| *byte ^= key);
        pad = md5(&[secret.bytes(), block]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_comes_back() {
        let (secret, authenticator) = (Secret::new("testing123"), [7u8; 16]);
        for len in 0..=MAX_PASSWORD {
            let password: Vec<u8> = (0..len).map(|i| b'a' + (i % 26) as u8).collect();
            let hidden = hide(&password, &secret, &authenticator);
            assert_eq!(reveal(&hidden, &secret, &authenticator).unwrap().bytes(), password);
        }
        for wrong in [0, 1, 15, 17, 144] {
            assert!(reveal(&vec![0; wrong], &secret, &authenticator).is_none());
        }
    }
}
