//! Makes a text that fails smaller, as long as it fails in the same way.

use std::time::{Duration, Instant};

use crate::corpus::tokens;

/// Drops lines, then tokens, in ever smaller runs; gives up after `limit` with what it has.
pub fn minimise(text: &str, limit: Duration, fails: &mut dyn FnMut(&str) -> bool) -> String {
    let deadline = Instant::now() + limit;
    let mut text = text.to_owned();
    loop {
        let before = text.len();
        let lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
        text = reduced(lines, deadline, fails);
        let pieces: Vec<String> = tokens(&text).into_iter().map(|(_, token)| token.to_owned()).collect();
        text = reduced(pieces, deadline, fails);
        if text.len() == before || Instant::now() > deadline {
            return text;
        }
    }
}

fn reduced(mut pieces: Vec<String>, deadline: Instant, fails: &mut dyn FnMut(&str) -> bool) -> String {
    let mut run = pieces.len().div_ceil(2);
    while run > 0 {
        let mut at = 0;
        while at < pieces.len() && Instant::now() < deadline {
            let end = (at + run).min(pieces.len());
            let rest = [&pieces[..at], &pieces[end..]].concat();
            if fails(&rest.concat()) {
                pieces = rest;
            } else {
                at = end;
            }
        }
        run /= 2;
    }
    pieces.concat()
}
