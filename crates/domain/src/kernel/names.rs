//! How names are compared.

use super::mac::Mac;

/// How names, usernames and addresses are compared: trimmed and lower-cased.
pub fn name_key(name: &str) -> String {
    name.trim().to_lowercase()
}

/// How network logins are compared: a MAC address is one name however it is written.
pub fn login_key(username: &str) -> String {
    match Mac::parse(username) {
        Some(mac) => mac.to_string().to_lowercase(),
        None => name_key(username),
    }
}
