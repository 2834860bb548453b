//! Names and passwords where they are used: almost all have at most 22 bytes and lie in the entry itself, because what
//! lies elsewhere costs a login another wait for memory, and an allocation for each subscriber.

const ROOM: usize = 22;

#[derive(Clone, PartialEq, Eq)]
pub struct Short(Kept);

#[derive(Clone, PartialEq, Eq)]
enum Kept {
    /// What is behind the length is zero.
    Here(u8, [u8; ROOM]),
    There(Box<[u8]>),
}

impl Short {
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Kept::Here(length, bytes) => &bytes[..usize::from(*length).min(ROOM)],
            Kept::There(bytes) => bytes,
        }
    }
}

impl From<&str> for Short {
    fn from(text: &str) -> Short {
        let mut bytes = [0; ROOM];
        match bytes.get_mut(..text.len()) {
            Some(start) => {
                start.copy_from_slice(text.as_bytes());
                Short(Kept::Here(text.len() as u8, bytes))
            }
            None => Short(Kept::There(text.as_bytes().into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_ones_are_kept_alike() {
        let long = "x".repeat(300);
        for text in ["", "ali", "twenty-two bytes long!", "twenty-three bytes long", &long] {
            let kept = Short::from(text);
            assert_eq!(kept.as_bytes(), text.as_bytes());
            assert!(kept == kept.clone() && kept != Short::from("ALI"));
        }
        assert_eq!(size_of::<Option<Short>>(), 24);
    }
}
