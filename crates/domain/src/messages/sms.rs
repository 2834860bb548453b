//! How many segments a text takes as SMS, which is what it costs (3GPP TS 23.038 §6.2.1, TS 23.040 §9.2.3.24.1).

/// The default alphabet; each takes one septet.
const GSM_7: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§\
                     ¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// Its extension; each takes two.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// At least one: an empty text is sent too.
pub fn segments(text: &str) -> i64 {
    let septets: Option<Vec<usize>> = text.chars().map(septets).collect();
    match septets {
        Some(widths) => count(&widths, 160, 153),
        None => count(&text.chars().map(char::len_utf16).collect::<Vec<_>>(), 70, 67),
    }
}

fn septets(c: char) -> Option<usize> {
    match c {
        c if GSM_7.contains(c) => Some(1),
        c if EXTENSION.contains(c) => Some(2),
        _ => None,
    }
}

/// One segment holds more than each of several, which tell how they join; no character is cut in two.
fn count(widths: &[usize], alone: usize, each: usize) -> i64 {
    if widths.iter().sum::<usize>() <= alone {
        return 1;
    }
    let (mut segments, mut used) = (1, 0);
    for width in widths {
        if used + width > each {
            segments += 1;
            used = 0;
        }
        used += width;
    }
    segments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_of_texts() {
        let rows = [
            (String::new(), 1),
            ("a".repeat(160), 1),
            ("a".repeat(161), 2),
            ("a".repeat(306), 2),
            ("a".repeat(307), 3),
            // an extension character takes two places
            ("€".repeat(80), 1),
            ("€".repeat(81), 2),
            // 153 is odd: the pair is not cut, so 76 fit
            ("€".repeat(152), 2),
            ("€".repeat(153), 3),
            (format!("{}[", "a".repeat(158)), 1),
            (format!("{}[", "a".repeat(159)), 2),
            // one character outside the alphabet makes all of it UCS-2
            (format!("{}–", "a".repeat(69)), 1),
            (format!("{}–", "a".repeat(70)), 2),
            ("আ".repeat(134), 2),
            ("আ".repeat(135), 3),
            // beyond the basic plane: two units, not cut (67 is odd: 33 fit)
            ("🙂".repeat(35), 1),
            ("🙂".repeat(36), 2),
            ("🙂".repeat(66), 2),
            ("🙂".repeat(67), 3),
            ("Ä ö ñ ¿ @ é".into(), 1),
            ("a`".into(), 1),
            (format!("{}`", "a".repeat(70)), 2),
        ];
        for (text, expected) in rows {
            assert_eq!(segments(&text), expected, "{} × {:?}", text.chars().count(), text.chars().last());
        }
    }
}
