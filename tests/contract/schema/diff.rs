//! Two texts, line by line.

use std::fmt::Write;

/// Unchanged lines that are shown before and after a change.
const CONTEXT: usize = 2;

/// The lines of `old` (-) and `new` (+) that the other does not have at that place, with what is
/// around them.
pub fn lines(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let steps = steps(&old, &new);
    let is_near = |index: usize| {
        let near = index.saturating_sub(CONTEXT)..(index + CONTEXT + 1).min(steps.len());
        steps[near].iter().any(|(sign, _)| *sign != ' ')
    };
    let mut text = String::new();
    let mut is_skipping = false;
    for (index, (sign, line)) in steps.iter().enumerate() {
        if is_near(index) {
            writeln!(text, "{sign} {line}").unwrap();
        } else if !is_skipping {
            text.push_str("...\n");
        }
        is_skipping = !is_near(index);
    }
    text
}

/// By the longest common subsequence.
fn steps<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<(char, &'a str)> {
    let mut common = vec![vec![0u32; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = match old[i] == new[j] {
                true => common[i + 1][j + 1] + 1,
                false => common[i + 1][j].max(common[i][j + 1]),
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut steps = Vec::new();
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            steps.push((' ', old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && common[i + 1][j] >= common[i][j + 1]) {
            steps.push(('-', old[i]));
            i += 1;
        } else {
            steps.push(('+', new[j]));
            j += 1;
        }
    }
    steps
}

#[test]
fn a_diff_shows_what_changed_and_where() {
    let old = "message A {\n  1\n  2\n  3\n  4\n}\nmessage B {\n}";
    let new = "message A {\n  1\n  2\n  3\n  5\n}\nmessage B {\n}";
    let expected = "...\n    2\n    3\n-   4\n+   5\n  }\n  message B {\n...\n";
    assert_eq!(lines(old, new), expected);
}
