//! The algorithm: how many adjacent pairs of units in a text are equal.
//!
//! A *unit* is a byte of ASCII text or of raw data, or a code point as a `u32`.
//! Pairs may overlap: `aaa` holds two. Nothing here knows of Python.

#![forbid(unsafe_code)]

/// Units compared at a time: a block's hits always fit into a `u8`, and a whole
/// number of vector registers leaves no slow rest at the end of each block.
const BLOCK: usize = 128;

/// The definition, one pair after the other: slow, and right at a glance.
///
/// The tests compare [`count_doubles`] with it, see there for the arguments.
#[cfg(test)]
fn count_doubles_by_definition<Unit: PartialEq>(text: &[Unit]) -> usize {
    text.windows(2).filter(|pair| pair[0] == pair[1]).count()
}

/// Counts the adjacent pairs of equal units in `text`; fewer than two units hold no pair.
///
/// The text is compared with itself, shifted by one unit. Each block's hits are
/// summed in a `u8`, so that the compiler can compare 16 bytes and more with one
/// instruction, on every CPU.
pub fn count_doubles<Unit: PartialEq>(text: &[Unit]) -> usize {
    let shifted = text.get(1..).unwrap_or_default();
    let hits = |(block, shifted): (&[Unit], &[Unit])| {
        let equal = block.iter().zip(shifted).map(|(a, b)| u8::from(a == b));
        usize::from(equal.sum::<u8>())
    };
    let blocks = text.chunks_exact(BLOCK).zip(shifted.chunks_exact(BLOCK));
    let rest = shifted.len() - shifted.len() % BLOCK;
    blocks.map(hits).sum::<usize>() + hits((&text[rest..], &shifted[rest..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    #[test]
    fn counts_what_the_definition_says() {
        assert_eq!(count_doubles(b""), 0);
        assert_eq!(count_doubles(b"a"), 0);
        assert_eq!(count_doubles(b"aaa"), 2);
        assert_eq!(count_doubles(b"hello, aardvark"), 2);
        assert_eq!(count_doubles(&[0x61, 0x61]), 1);
        assert_eq!(count_doubles(&[0x61, 0x6100]), 0);
    }

    #[test]
    fn a_block_full_of_hits_does_not_overflow() {
        for length in [BLOCK, BLOCK + 1, 255, 256, 257, 3 * BLOCK + 1] {
            assert_eq!(count_doubles(&vec![7_u8; length]), length - 1);
            assert_eq!(count_doubles(&vec![7_u32; length]), length - 1);
        }
    }

    quickcheck! {
        // Four letters make doubles common; repeating makes the text longer than a block.
        fn agrees_with_the_definition(letters: Vec<u8>, repeat: u8) -> bool {
            let bytes: Vec<u8> = letters.iter().map(|byte| byte % 4).collect();
            let bytes = bytes.repeat(usize::from(repeat % 32));
            let code_points: Vec<u32> = bytes.iter().map(|&byte| u32::from(byte) << 16).collect();
            count_doubles(&bytes) == count_doubles_by_definition(&bytes)
                && count_doubles(&code_points) == count_doubles_by_definition(&code_points)
        }
    }
}
