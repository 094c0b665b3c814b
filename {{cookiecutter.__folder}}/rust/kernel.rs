//! The algorithm: how many adjacent pairs of units in a text are equal.
//!
//! A *unit* is `WIDTH` bytes: 1 for ASCII text and raw bytes, 4 for UTF-32.
//! Pairs may overlap: `aaa` holds two. Nothing here knows of Python.

#![forbid(unsafe_code)]

/// Units compared at a time: a block's hits always fit into a `u8`, and a whole
/// number of vector registers keeps the compiler from adding a slow tail loop.
const BLOCK: usize = 128;

/// Cuts `text` into units of `WIDTH` bytes; an incomplete last unit is left out.
fn units<const WIDTH: usize>(text: &[u8]) -> impl Iterator<Item = &[u8; WIDTH]> {
    text.chunks_exact(WIDTH)
        .map(|unit| unit.try_into().expect("chunks_exact yields WIDTH bytes"))
}

/// The definition, one pair after the other: slow, and right at a glance.
///
/// The tests compare [`count_doubles`] with it, see there for the arguments.
#[cfg(test)]
fn count_doubles_by_definition<const WIDTH: usize>(text: &[u8]) -> usize {
    let next = units::<WIDTH>(text).skip(1);
    units::<WIDTH>(text)
        .zip(next)
        .filter(|(a, b)| a == b)
        .count()
}

/// Counts the adjacent pairs of equal units of `WIDTH` bytes in `text`.
///
/// `text` holds whole units without a gap, in either byte order; fewer than two
/// units hold no pair. The text is compared with itself, shifted by one unit.
/// Each block's hits are summed in a `u8`, so that the compiler can compare
/// 16 bytes and more with one instruction, on every CPU.
pub fn count_doubles<const WIDTH: usize>(text: &[u8]) -> usize {
    let Some(shifted) = text.get(WIDTH..) else {
        return 0;
    };
    let block_hits = |(a, b)| {
        let equal = units::<WIDTH>(a).zip(units::<WIDTH>(b));
        equal.map(|(a, b)| u8::from(a == b)).sum::<u8>()
    };
    text.chunks(BLOCK * WIDTH)
        .zip(shifted.chunks(BLOCK * WIDTH))
        .map(block_hits)
        .map(usize::from)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    #[test]
    fn counts_what_the_definition_says() {
        assert_eq!(count_doubles::<1>(b""), 0);
        assert_eq!(count_doubles::<1>(b"a"), 0);
        assert_eq!(count_doubles::<1>(b"aaa"), 2);
        assert_eq!(count_doubles::<1>(b"hello, aardvark"), 2);
        assert_eq!(count_doubles::<4>(b"a\0\0\0a\0\0\0"), 1);
        assert_eq!(count_doubles::<4>(b"\0\0aa\0\0\0a"), 0);
    }

    #[test]
    fn a_block_full_of_hits_does_not_overflow() {
        for length in [BLOCK, BLOCK + 1, 255, 256, 257, 3 * BLOCK + 1] {
            assert_eq!(count_doubles::<1>(&vec![7; length]), length - 1);
            assert_eq!(count_doubles::<4>(&vec![7; 4 * length]), length - 1);
        }
    }

    quickcheck! {
        // Four letters make doubles common; repeating makes the text longer than a block.
        fn agrees_with_the_definition(letters: Vec<u8>, repeat: u8) -> bool {
            let text: Vec<u8> = letters.iter().map(|byte| byte % 4).collect();
            let text = text.repeat(usize::from(repeat % 32));
            count_doubles::<1>(&text) == count_doubles_by_definition::<1>(&text)
                && count_doubles::<4>(&text) == count_doubles_by_definition::<4>(&text)
        }
    }
}
