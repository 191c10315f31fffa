//! What the memory of this machine allows: the rate at which arrays are read and written in place.

use std::time::Instant;

/// How often the arrays are gone through; the fastest time counts.
const PASSES: usize = 8;

/// Bytes a second, read and written together, when `bytes` bytes are read, changed and written back by so many threads, each
/// with its own part. The arrays take so many bytes, at least a page for each thread.
pub fn bandwidth(threads: usize, bytes: usize) -> f64 {
    let threads = threads.max(1);
    let elements = (bytes / 4 / threads).clamp(1024, 1 << 29);
    let mut parts: Vec<Vec<f32>> = (0..threads).map(|_| vec![1.0; elements]).collect();
    // Small arrays are gone through many times between two looks at the clock.
    let times = (1 << 22) / (elements * threads) + 1;
    let mut best = f64::INFINITY;
    for _ in 0..PASSES {
        let begin = Instant::now();
        match &mut parts[..] {
            [part] => pass(part, times),
            parts => std::thread::scope(|scope| {
                for part in parts {
                    scope.spawn(|| pass(part, times));
                }
            }),
        }
        best = best.min(begin.elapsed().as_secs_f64());
    }
    std::hint::black_box(&parts);
    (elements * threads * times * 8) as f64 / best
}

fn pass(part: &mut [f32], times: usize) {
    for _ in 0..times {
        for value in part.iter_mut() {
            *value = *value * 0.999 + 1e-6;
        }
        std::hint::black_box(&mut *part);
    }
}

#[cfg(test)]
mod tests {
    /// No memory is slower than 10 MB/s or faster than 100 TB/s.
    #[test]
    fn it_is_some_bandwidth() {
        for threads in [1, 2] {
            let found = super::bandwidth(threads, 1 << 20);
            assert!(found > 1e7 && found < 1e14, "{found}");
        }
    }
}
