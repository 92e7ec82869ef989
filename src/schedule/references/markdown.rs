//! The parts of a Markdown text that say something, as blocks: paragraphs, headings and list items.
//!
//! Code (fenced, indented or inline), HTML comments and what is struck out say nothing. Block quotes and task lists do. Tracker
//! texts are only nearly Markdown, so nothing here fails: what it does not know is text. Linear in the text's length.

use std::collections::HashMap;

/// What stands in place of inline code: no blank, so that nothing is read across it.
pub const MASK: u8 = 1;

/// What a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Lines of text.
    Paragraph,
    /// A heading, of that level.
    Heading(usize),
    /// An item of a list, indented that far.
    Item(usize),
}

/// A block of text, its lines joined with `\n` and without the marks of quotes, lists and tasks.
#[derive(Debug)]
pub struct Block<'a> {
    /// What it is.
    pub kind: Kind,
    /// What it says.
    pub text: String,
    /// How deeply it is quoted.
    quoted: usize,
    /// Where each of its lines begins in `text`, and the line as it was written.
    lines: Vec<(usize, &'a str)>,
}

impl<'a> Block<'a> {
    /// The number of the line that holds `at`, and that line as it was written.
    pub fn line(&self, at: usize) -> (usize, &'a str) {
        let number = self.lines.partition_point(|(start, _)| *start <= at).saturating_sub(1);
        (number, self.lines.get(number).map_or("", |(_, line)| line))
    }
}

/// The blocks of a text.
pub fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut done: Vec<Block<'_>> = Vec::new();
    let mut open: Option<Block<'_>> = None;
    let mut fence: Option<Fence> = None;
    let mut comments = Comments { inside: false, last_end: text.rfind("-->") };
    let mut list: Option<ListItem> = None;
    let mut offset = 0;
    for raw in text.split('\n') {
        let begin = offset;
        offset += raw.len() + 1;
        let line = raw.strip_suffix('\r').unwrap_or(raw);
        if let Some(fenced) = &fence {
            let shape = Shape::of(line);
            if shape.quoted < fenced.quoted {
                fence = None;
            } else {
                if fenced.is_closed_by(shape.rest) {
                    fence = None;
                }
                continue;
            }
        }
        if !comments.inside
            && let Some(found) = Fence::opened_by(&Shape::of(line))
        {
            fence = Some(found);
            done.extend(open.take());
            continue;
        }
        let visible = comments.hide(line, begin);
        let shape = Shape::of(&visible);
        if shape.rest.trim().is_empty() {
            done.extend(open.take());
            continue;
        }
        // As it was written: a comment's place is no indentation.
        let indent = Shape::of(line).indent;
        list = list.filter(|list| list.quoted == shape.quoted && (shape.item.is_some() || indent >= 2));
        if open.is_none() && indent >= CODE + list.as_ref().map_or(0, |list| list.content) {
            continue;
        }
        if shape.item.is_some() {
            list = Some(ListItem { quoted: shape.quoted, content: shape.indent + 2 });
        }
        if let Some(current) = &mut open {
            let underline = shape.rest.trim_end();
            if current.kind == Kind::Paragraph
                && shape.item.is_none()
                && ["=", "-"].iter().any(|mark| underline.replace(mark, "").is_empty())
            {
                current.kind = Kind::Heading(if underline.starts_with('=') { 1 } else { 2 });
                done.extend(open.take());
                continue;
            }
        }
        let kind = match (shape.item, heading(shape.rest)) {
            (_, Some((level, _))) => Some(Kind::Heading(level)),
            (Some(indent), None) => Some(Kind::Item(indent)),
            (None, None) => None,
        };
        let says = heading(shape.rest).map_or(shape.rest, |(_, text)| text);
        match &mut open {
            Some(current) if kind.is_none() && current.quoted == shape.quoted => {
                current.text.push('\n');
                current.lines.push((current.text.len(), line));
                current.text.push_str(says);
            }
            _ => {
                done.extend(open.take());
                let kind = kind.unwrap_or(Kind::Paragraph);
                let block =
                    Block { kind, text: says.to_owned(), quoted: shape.quoted, lines: vec![(0, line)] };
                if matches!(kind, Kind::Heading(_)) { done.push(block) } else { open = Some(block) }
            }
        }
    }
    done.extend(open.take());
    for block in &mut done {
        mask(&mut block.text);
        for (name, with) in [("del", b' '), ("s", b' '), ("strike", b' '), ("code", MASK), ("pre", MASK)] {
            hide_elements(&mut block.text, name, with);
        }
    }
    done
}

/// How far code is indented against what it stands in.
const CODE: usize = 4;

/// The item of a list that what follows may belong to.
struct ListItem {
    quoted: usize,
    /// How far its text is indented, at least.
    content: usize,
}

/// How a line begins.
struct Shape<'a> {
    quoted: usize,
    indent: usize,
    item: Option<usize>,
    rest: &'a str,
}

impl<'a> Shape<'a> {
    fn of(line: &'a str) -> Shape<'a> {
        let (mut quoted, mut indent, mut rest) = (0, 0, line);
        loop {
            if let Some(after) = rest.strip_prefix(' ') {
                (indent, rest) = (indent + 1, after);
            } else if let Some(after) = rest.strip_prefix('\t') {
                (indent, rest) = (indent + 4, after);
            } else if let Some(after) = rest.strip_prefix('>') {
                (quoted, indent, rest) = (quoted + 1, 0, after.strip_prefix(' ').unwrap_or(after));
            } else {
                break;
            }
        }
        match after_marker(rest) {
            Some(after) => Shape { quoted, indent, item: Some(indent), rest: after_box(after.trim_start()) },
            None => Shape { quoted, indent, item: None, rest },
        }
    }
}

fn after_marker(rest: &str) -> Option<&str> {
    let after = match rest.strip_prefix(['-', '*', '+', '•']) {
        Some(after) => after,
        None => {
            let number = rest.bytes().take(10).take_while(u8::is_ascii_digit).count();
            if !(1..=9).contains(&number) {
                return None;
            }
            rest[number..].strip_prefix(['.', ')'])?
        }
    };
    after.starts_with([' ', '\t']).then_some(after)
}

fn after_box(rest: &str) -> &str {
    ["[ ]", "[x]", "[X]"].iter().find_map(|it| rest.strip_prefix(it)).map_or(rest, str::trim_start)
}

/// The level of a heading, and its text.
fn heading(rest: &str) -> Option<(usize, &str)> {
    let level = rest.bytes().take_while(|b| *b == b'#').count();
    let text = rest.get(level..)?;
    ((1..=6).contains(&level) && text.starts_with([' ', '\t']))
        .then(|| (level, text.trim().trim_end_matches('#')))
}

/// A fence of code that is open.
struct Fence {
    mark: u8,
    length: usize,
    quoted: usize,
}

impl Fence {
    fn opened_by(shape: &Shape<'_>) -> Option<Fence> {
        let mark = *shape.rest.as_bytes().first().filter(|b| matches!(b, b'`' | b'~'))?;
        let length = shape.rest.bytes().take_while(|b| *b == mark).count();
        let inline = mark == b'`' && shape.rest[length..].contains('`');
        (length >= 3 && !inline).then_some(Fence { mark, length, quoted: shape.quoted })
    }

    fn is_closed_by(&self, rest: &str) -> bool {
        let rest = rest.trim_end();
        rest.len() >= self.length && rest.bytes().all(|b| b == self.mark)
    }
}

/// HTML comments, which go over many lines.
struct Comments {
    inside: bool,
    last_end: Option<usize>,
}

impl Comments {
    /// The line with blanks where it is commented out. `begin` is where it begins in the whole text.
    fn hide(&mut self, line: &str, begin: usize) -> String {
        if !self.inside && !line.contains("<!--") {
            return line.to_owned();
        }
        let mut out = String::with_capacity(line.len());
        let spans = code_spans(line);
        let in_code = |at: usize| {
            spans.get(spans.partition_point(|(_, end)| *end <= at)).is_some_and(|span| span.0 < at)
        };
        let mut starts = line.match_indices("<!--").map(|(at, _)| at).peekable();
        let mut at = 0;
        loop {
            if self.inside {
                let end = line[at..].find("-->").map(|found| at + found + 3);
                out.extend(std::iter::repeat_n(' ', end.unwrap_or(line.len()) - at));
                let Some(end) = end else { break };
                (self.inside, at) = (false, end);
            }
            while starts.next_if(|start| *start < at || in_code(*start)).is_some() {}
            let Some(start) = starts.next() else {
                out.push_str(&line[at..]);
                break;
            };
            // A comment that nothing ends hides the rest where it is a block of its own, and is text elsewhere.
            let ends = self.last_end.is_some_and(|last| last >= begin + start + 4);
            if !ends && !line[..start].trim().is_empty() {
                out.push_str(&line[at..]);
                break;
            }
            out.push_str(&line[at..start]);
            (self.inside, at) = (true, start);
        }
        out
    }
}

/// Inline code: from a run of backticks to the next run of the same length.
fn code_spans(text: &str) -> Vec<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut runs: Vec<(usize, usize)> = Vec::new();
    let mut at = 0;
    while let Some(found) = text[at..].find('`') {
        let start = at + found;
        let length = bytes[start..].iter().take_while(|b| **b == b'`').count();
        at = start + length;
        runs.push((start, length));
    }
    // From the end: the next run of each length behind every run.
    let mut next: HashMap<usize, usize> = HashMap::new();
    let mut closing = vec![None; runs.len()];
    for (n, (_, length)) in runs.iter().enumerate().rev() {
        closing[n] = next.insert(*length, n);
    }
    let (mut spans, mut n) = (Vec::new(), 0);
    while n < runs.len() {
        let escaped = runs[n].0 > 0 && bytes[runs[n].0 - 1] == b'\\';
        match closing[n].filter(|_| !escaped) {
            Some(end) => {
                spans.push((runs[n].0, runs[end].0 + runs[end].1));
                n = end + 1;
            }
            None => n += 1,
        }
    }
    spans
}

/// Hides inline code and what is struck out; every byte keeps its place.
fn mask(text: &mut String) {
    let spans = code_spans(text);
    let struck = text.contains("~~");
    if spans.is_empty() && !struck {
        return;
    }
    let mut bytes = std::mem::take(text).into_bytes();
    for (start, end) in spans {
        for byte in bytes[start..end].iter_mut().filter(|byte| **byte != b'\n') {
            *byte = MASK;
        }
    }
    if struck {
        let marks: Vec<usize> =
            (1..bytes.len()).filter(|n| bytes[*n] == b'~' && bytes[*n - 1] == b'~').collect();
        let mut from: Option<usize> = None;
        let mut last = 0;
        for end in marks {
            match from {
                _ if end <= last => {}
                None => (from, last) = (Some(end - 1), end + 1),
                Some(start) => {
                    for byte in bytes[start..=end].iter_mut().filter(|byte| **byte != b'\n') {
                        *byte = b' ';
                    }
                    (from, last) = (None, end + 1);
                }
            }
        }
    }
    // Whole characters were replaced by as many ASCII characters as they had bytes, so this is UTF-8 still.
    *text = String::from_utf8(bytes).unwrap_or_default();
}

/// Hides what stands in HTML elements of that name; every byte keeps its place.
fn hide_elements(text: &mut String, name: &str, with: u8) {
    let (open, close) = (format!("<{name}"), format!("</{name}>"));
    let lower = text.to_ascii_lowercase();
    let (mut at, mut spans) = (0, Vec::new());
    while let Some(start) = lower[at..].find(&open).map(|found| at + found) {
        at = start + open.len();
        if !lower[at..].starts_with([' ', '>']) {
            continue;
        }
        let Some(end) = lower[at..].find(&close).map(|found| at + found + close.len()) else { break };
        spans.push(start..end);
        at = end;
    }
    if spans.is_empty() {
        return;
    }
    let mut bytes = std::mem::take(text).into_bytes();
    for span in spans {
        for byte in bytes[span].iter_mut().filter(|byte| **byte != b'\n') {
            *byte = with;
        }
    }
    // As above: whole characters went.
    *text = String::from_utf8(bytes).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<String> {
        blocks(text).into_iter().map(|block| block.text.replace('\u{1}', "")).collect()
    }

    #[test]
    fn code_comments_and_what_is_struck_out_say_nothing() {
        for (text, expected) in [
            ("a\n```\nb\n```\nc", &["a", "c"][..]),
            ("a\n~~~~ x\nb\n~~~\n~~~~\nc", &["a", "c"]),
            ("> ```\n> b\nc", &["c"]),
            ("- ```\n  b\n  ```\n- c", &["c"]),
            ("a <!-- b --> c", &["a            c"]),
            ("a <!-- b\n\nb --> c", &["a       ", "c"]),
            ("<!-- b\nb", &[]),
            ("a <!-- b\nc", &["a <!-- b\nc"]),
            ("a `b` c ``d ` d``", &["a  c "]),
            ("`<!--` c", &[" c"]),
            ("a `b\nb` c", &["a \n c"]),
            ("a ` b", &["a ` b"]),
            ("a ~~b~~ c", &["a       c"]),
            ("```x``` c", &[" c"]),
            ("a\n\n    b\n\n\tb\nc", &["a", "c"]),
            ("    - b\n\nc", &["c"]),
            ("a\n    c", &["a\nc"]),
            ("- a\n\n    c\n\n      b\n\n  c", &["a", "c", "c"]),
            ("- a\n    - c\n\n      d", &["a", "c", "d"]),
            (">     b\n> c", &["c"]),
            ("<del>b</del> c <S>ö</S> d", &["             c           d"]),
            ("<code class=\"x\">b\nb</code> c <pre>d", &["\n c <pre>d"]),
            ("<section>a</section>", &["<section>a</section>"]),
        ] {
            assert_eq!(said(text), expected, "{text}");
        }
    }

    #[test]
    fn marks_of_quotes_lists_tasks_and_headings_are_taken_off() {
        let text = "> quoted\n> on\n\n- [ ] task\n  on\n  1. inner\n## Head ##\ntext\n---\n#12 x\r\n* * x";
        let all = blocks(text);
        let kinds: Vec<(Kind, &str)> = all.iter().map(|block| (block.kind, block.text.as_str())).collect();
        assert_eq!(
            kinds,
            [
                (Kind::Paragraph, "quoted\non"),
                (Kind::Item(0), "task\non"),
                (Kind::Item(2), "inner"),
                (Kind::Heading(2), "Head "),
                (Kind::Heading(2), "text"),
                (Kind::Paragraph, "#12 x"),
                (Kind::Item(0), "* x"),
            ]
        );
        assert_eq!(all[1].line(6), (1, "  on"));
    }
}
