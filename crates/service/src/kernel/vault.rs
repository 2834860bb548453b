//! Secrets: network passwords sealed at rest, tokens random and stored hashed. People's passwords: [`super::hashing`].
//!
//! A sealed value is `1 ‖ key id ‖ nonce ‖ ciphertext and tag` (AES-256-GCM). The place it belongs to (table, row) is
//! authenticated with it, so that a sealed value copied to another row does not open. The key is a file of mode 0600
//! beside the data, or comes from the environment; RADIUS needs the clear text for CHAP and MS-CHAP, so no slow hash.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use parking_lot::RwLock;

use aes_gcm::{
    Aes256Gcm, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use sha2::{Digest, Sha256};

pub use super::hashing::hash_password;

const FORM: u8 = 1;
const NONCE: usize = 12;

/// Opens and seals. Several keys may open; the newest seals. All copies have the same keys, also when these change.
#[derive(Clone)]
pub struct Vault {
    ring: Arc<RwLock<Ring>>,
}

struct Ring {
    keys: BTreeMap<u8, Aes256Gcm>,
    seals: u8,
}

/// A key as its file has it: `id:64 hex digits`, behind `next ` where it opens and does not seal yet.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    /// 1 to 255.
    pub id: u8,
    pub key: [u8; 32],
    pub is_next: bool,
}

impl Key {
    pub fn line(&self) -> String {
        format!("{}{}:{}\n", if self.is_next { "next " } else { "" }, self.id, hex(&self.key))
    }
}

impl Vault {
    /// Of those that do not wait, the highest id seals.
    pub fn of(keys: &[Key]) -> Option<Vault> {
        let seals = keys.iter().filter(|key| !key.is_next).map(|key| key.id).max()?;
        let keys = keys.iter().map(|key| (key.id, Aes256Gcm::new((&key.key).into()))).collect();
        Some(Vault { ring: Arc::new(RwLock::new(Ring { keys, seals })) })
    }

    /// Keys by id, 1 to 255; the highest id seals.
    pub fn new(keys: &[(u8, [u8; 32])]) -> Option<Vault> {
        let keys: Vec<Key> = keys.iter().map(|(id, key)| Key { id: *id, key: *key, is_next: false }).collect();
        Vault::of(&keys)
    }

    /// From now on these keys, at every copy.
    pub fn change_keys(&self, keys: &[Key]) -> bool {
        let Some(other) = Vault::of(keys).and_then(|vault| Arc::into_inner(vault.ring)) else { return false };
        *self.ring.write() = other.into_inner();
        true
    }

    /// Whether the key that seals now has sealed this.
    pub fn is_current(&self, sealed: &[u8]) -> bool {
        sealed.get(1) == Some(&self.ring.read().seals)
    }

    /// A key that lives as long as this value: for tests and databases in memory.
    pub fn ephemeral() -> Vault {
        Vault::new(&[(1, random_bytes())]).expect("one key")
    }

    /// Reads `id:hex` lines from a key file, or makes the file with a new key (mode 0600).
    pub fn from_file(path: &Path) -> std::io::Result<Vault> {
        let invalid =
            |what: &str| std::io::Error::new(std::io::ErrorKind::InvalidData, format!("{}: {what}", path.display()));
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let text = format!("1:{}\n", hex(&random_bytes::<32>()));
                write_private(path, text.as_bytes())?;
                text
            }
            Err(error) => return Err(error),
        };
        let keys = parse_keys(&text).ok_or_else(|| invalid("lines of `id:64 hex digits` are expected"))?;
        Vault::of(&keys).ok_or_else(|| invalid("holds no key"))
    }

    /// The same lines from a setting.
    pub fn from_text(text: &str) -> Option<Vault> {
        Vault::of(&parse_keys(text)?)
    }

    /// `place` is the table and row the value belongs to.
    pub fn seal(&self, place: &str, clear: &str) -> Vec<u8> {
        let nonce: [u8; NONCE] = random_bytes();
        let ring = self.ring.read();
        let key = &ring.keys[&ring.seals];
        let payload = Payload { msg: clear.as_bytes(), aad: place.as_bytes() };
        let sealed = key.encrypt(&Nonce::from(nonce), payload).expect("AES-GCM seals any short text");
        let mut out = Vec::with_capacity(2 + NONCE + sealed.len());
        out.extend([FORM, ring.seals]);
        out.extend(nonce);
        out.extend(sealed);
        out
    }

    /// `None` when the value was sealed with another key, for another place, or was changed.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Option<String> {
        let (head, rest) = sealed.split_at_checked(2)?;
        let (nonce, body) = rest.split_at_checked(NONCE)?;
        if head[0] != FORM {
            return None;
        }
        let nonce: [u8; NONCE] = nonce.try_into().ok()?;
        let payload = Payload { msg: body, aad: place.as_bytes() };
        String::from_utf8(self.ring.read().keys.get(&head[1])?.decrypt(&Nonce::from(nonce), payload).ok()?).ok()
    }
}

/// The keys of a file's text; `None` where a line is none.
pub fn parse_keys(text: &str) -> Option<Vec<Key>> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let one = |line: &str| {
        let (line, is_next) = line.strip_prefix("next ").map_or((line, false), |line| (line, true));
        let (id, key) = line.split_once(':')?;
        let id: u8 = id.trim().parse().ok().filter(|id| *id > 0)?;
        Some(Key { id, key: unhex(key.trim())?.try_into().ok()?, is_next })
    };
    lines.map(one).collect()
}

/// Creates a file only its owner can read; never replaces one.
pub fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    bytes
}

/// `length` letters and digits, about 5.9 bits each, without bias.
pub fn random_text(length: usize) -> String {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut text = String::with_capacity(length);
    while text.len() < length {
        for byte in random_bytes::<32>() {
            // 248 = 4 × 62: the bytes above would favour the first letters.
            if byte < 248 && text.len() < length {
                text.push(LETTERS[byte as usize % 62] as char);
            }
        }
    }
    text
}

/// A random UUID (RFC 9562 §5.4).
pub fn random_uuid() -> String {
    let mut bytes: [u8; 16] = random_bytes();
    bytes[6] = 0x40 | bytes[6] & 0x0f;
    bytes[8] = 0x80 | bytes[8] & 0x3f;
    let text = hex(&bytes);
    format!("{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..])
}

/// How a random secret is stored: it has too much entropy to be guessed, so a fast hash suffices.
pub fn token_hash(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `None` when it is not pairs of hexadecimal digits.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()).collect()
}
