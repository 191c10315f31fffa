//! Where the marks of a strip stand: without a branch, since which elements are marked is chance.

/// For each set of eight marks their places, from the lowest byte on.
static PLACES: [u64; 256] = places_of_all();

const fn places_of_all() -> [u64; 256] {
    let mut table = [0; 256];
    let mut marks = 0;
    while marks < table.len() {
        let (mut place, mut count) = (0, 0);
        while place < 8 {
            if marks >> place & 1 == 1 {
                table[marks] |= place << (8 * count);
                count += 1;
            }
            place += 1;
        }
        marks += 1;
    }
    table
}

/// The places of the marks, ascending, and how many there are. `places` is eight longer than `marks`, which are 256 at the
/// most and a multiple of eight: each eight write eight places, of which the next ones overwrite what is too much.
#[inline(always)]
pub(super) fn places(marks: &[bool], places: &mut [u8]) -> usize {
    let mut count = 0;
    for (eighth, marks) in marks.chunks_exact(8).enumerate() {
        let Some(marks) = marks.first_chunk::<8>() else { continue };
        // The product has the lowest bits of the eight bytes in its highest byte.
        let bytes = u64::from_le_bytes(marks.map(u8::from));
        let set = bytes.wrapping_mul(0x0102_0408_1020_4080) >> 56;
        let first = (8 * eighth as u64).wrapping_mul(0x0101_0101_0101_0101);
        if let Some(room) = places.get_mut(count..).and_then(|room| room.first_chunk_mut::<8>()) {
            *room = PLACES[set as usize].wrapping_add(first).to_le_bytes();
        }
        count += set.count_ones() as usize;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_of_eight_and_many() {
        for set in 0..256_u32 {
            let marks: [bool; 16] =
                core::array::from_fn(|k| if k < 8 { set >> k & 1 == 1 } else { k % 3 == 0 });
            let expected = marks.iter().enumerate().filter(|(_, mark)| **mark).map(|(place, _)| place as u8);
            let mut found = [255; 24];
            let count = places(&marks, &mut found);
            assert!(found[..count].iter().copied().eq(expected), "{set:08b}");
        }
        for (mark, many) in [(true, 256), (false, 0)] {
            let mut found = [0; 264];
            assert_eq!(places(&[mark; 256], &mut found), many);
            assert!(found[..many].iter().enumerate().all(|(place, &found)| usize::from(found) == place));
        }
    }
}
