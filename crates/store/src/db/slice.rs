//! A page of rows in an order that no index has: every row is looked at once, and only the page is sorted.

/// Rows `offset` and on of all that are found, at most `limit`, by place and then by id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slice {
    pub descending: bool,
    pub offset: i64,
    pub limit: i64,
}

/// The rows that were found, each with its place among them: a number, or a text in the order of its bytes.
#[derive(Default)]
pub(super) struct Gathered {
    rows: Vec<Place>,
    texts: Vec<u8>,
}

struct Place {
    /// The number, or the beginning of the text: decides nearly always.
    head: u64,
    id: i64,
    text: std::ops::Range<usize>,
}

impl Gathered {
    pub(super) fn number(&mut self, id: i64, place: i64) {
        self.rows.push(Place { head: place.cast_unsigned() ^ (1 << 63), id, text: 0..0 });
    }

    pub(super) fn text(&mut self, id: i64, place: &[u8]) {
        let mut head = [0; 8];
        let length = place.len().min(8);
        head[..length].copy_from_slice(&place[..length]);
        let from = self.texts.len();
        self.texts.extend_from_slice(place);
        self.rows.push(Place { head: u64::from_be_bytes(head), id, text: from..self.texts.len() });
    }

    /// The ids of a slice, and how many rows there are.
    pub(super) fn cut(mut self, slice: Slice) -> (Vec<i64>, i64) {
        let total = self.rows.len();
        let from = usize::try_from(slice.offset).unwrap_or(0).min(total);
        let until = from.saturating_add(usize::try_from(slice.limit).unwrap_or(0)).min(total);
        if from == until {
            return (Vec::new(), total as i64);
        }
        let texts = &self.texts;
        let order = |a: &Place, b: &Place| {
            let texts = || texts[a.text.clone()].cmp(&texts[b.text.clone()]);
            let order = a.head.cmp(&b.head).then_with(texts).then(a.id.cmp(&b.id));
            if slice.descending { order.reverse() } else { order }
        };
        if from > 0 {
            self.rows.select_nth_unstable_by(from, order);
        }
        let behind = &mut self.rows[from..];
        if until < total {
            behind.select_nth_unstable_by(until - from, order);
        }
        let page = &mut behind[..until - from];
        page.sort_unstable_by(order);
        (page.iter().map(|row| row.id).collect(), total as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn die(state: &mut u64, sides: u64) -> u64 {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 33) % sides
    }

    #[test]
    fn a_slice_is_what_sorting_everything_gives() {
        let mut state = 1;
        for round in 0..200 {
            let count = die(&mut state, 60) as i64;
            // Beginnings of each other, equal beginnings, nothing at all, bytes beyond ASCII.
            let words = ["", "a", "a\0", "abcdefgh", "abcdefgh1", "abcdefgz", "zoë", "zoé", "é"];
            let texts: Vec<_> = (0..count).map(|_| words[die(&mut state, 9) as usize]).collect();
            let numbers: Vec<_> = (0..count).map(|_| die(&mut state, 7) as i64 - 3).collect();
            let slice = Slice {
                descending: round % 2 == 1,
                offset: die(&mut state, 70) as i64,
                limit: die(&mut state, 20) as i64,
            };
            let (mut by_text, mut by_number) = (Gathered::default(), Gathered::default());
            for id in 0..count {
                by_text.text(id, texts[id as usize].as_bytes());
                by_number.number(id, numbers[id as usize]);
            }
            let naive = |mut ids: Vec<i64>| {
                if slice.descending {
                    ids.reverse();
                }
                let page = ids.into_iter().skip(slice.offset as usize).take(slice.limit as usize);
                (page.collect::<Vec<_>>(), count)
            };
            let mut ids: Vec<i64> = (0..count).collect();
            ids.sort_by_key(|id| (texts[*id as usize], *id));
            assert_eq!(by_text.cut(slice), naive(ids.clone()));
            ids.sort_by_key(|id| (numbers[*id as usize], *id));
            assert_eq!(by_number.cut(slice), naive(ids));
        }
    }
}
