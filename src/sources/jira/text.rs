//! Descriptions as Markdown, whatever Jira keeps them in: its document format (Cloud), or wiki text (Server).
//!
//! What is code there is code here, so that whoever looks for references in the text can leave it out. An address of an
//! issue of the same Jira becomes its key. It looks for no references itself.

use serde_json::Value;

/// A description as text; nothing where it is neither a document nor a text. `base` is where Jira is.
pub(super) fn plain(description: &Value, base: &str) -> String {
    match description {
        Value::String(text) => wiki(text, base),
        Value::Object(_) => Document { base }.block(description),
        _ => String::new(),
    }
}

/// The key of an issue of this Jira that an address leads to.
fn key_of<'u>(url: &'u str, base: &str) -> Option<&'u str> {
    let key = url.strip_prefix(base)?.strip_prefix("/browse/")?.split(['?', '#']).next()?;
    is_key(key).then_some(key)
}

/// A link with a text of its own.
fn link(text: &str, url: &str, base: &str) -> String {
    match key_of(url, base) {
        Some(key) if text == url || text.is_empty() => key.to_owned(),
        Some(key) if text.contains(key) => text.to_owned(),
        Some(key) => format!("{text} ({key})"),
        None if text == url || text.is_empty() => url.to_owned(),
        None => format!("[{text}]({url})"),
    }
}

fn code_block(text: &str) -> String {
    let mut fence = "```".to_owned();
    while text.contains(&fence) {
        fence.push('`');
    }
    format!("{fence}\n{}\n{fence}", text.trim_end_matches('\n'))
}

fn inline_code(text: &str) -> String {
    let mut fence = "`".to_owned();
    while text.contains(&fence) {
        fence.push('`');
    }
    format!("{fence}{text}{fence}")
}

/// Jira's document format. Its depth is bounded by the JSON parser, which refuses more than 128 levels.
struct Document<'a> {
    base: &'a str,
}

impl Document<'_> {
    fn block(&self, node: &Value) -> String {
        let children = node["content"].as_array().map_or(&[][..], Vec::as_slice);
        match node["type"].as_str().unwrap_or_default() {
            "codeBlock" => {
                code_block(&children.iter().filter_map(|it| it["text"].as_str()).collect::<String>())
            }
            "bulletList" | "decisionList" => self.items(children, "- "),
            "orderedList" => self.items(children, "1. "),
            "taskList" => self.blocks(children),
            "taskItem" => {
                let mark = if node["attrs"]["state"] == "DONE" { "- [x] " } else { "- [ ] " };
                format!("{mark}{}", self.blocks(children).replace('\n', "\n  "))
            }
            "blockquote" => format!("> {}", self.blocks(children).replace('\n', "\n> ")),
            "heading" => {
                let level = node["attrs"]["level"].as_u64().unwrap_or(1).clamp(1, 6);
                format!("{} {}", "######".get(..level as usize).unwrap_or("#"), self.blocks(children))
            }
            "tableRow" => {
                let cells: Vec<String> =
                    children.iter().map(|cell| self.block(cell).replace('\n', " ")).collect();
                format!("| {} |", cells.join(" | "))
            }
            "rule" => "---".to_owned(),
            _ => {
                let title = node["attrs"]["title"].as_str().filter(|title| !title.is_empty());
                let inside = self.blocks(children);
                title.map_or(inside.clone(), |title| format!("{title}\n{inside}"))
            }
        }
    }

    fn items(&self, items: &[Value], mark: &str) -> String {
        let indent = format!("\n{}", " ".repeat(mark.len()));
        let items = items.iter().map(|item| format!("{mark}{}", self.block(item).replace('\n', &indent)));
        items.collect::<Vec<_>>().join("\n")
    }

    /// Blocks below each other, words beside each other.
    fn blocks(&self, nodes: &[Value]) -> String {
        let mut out = String::new();
        let mut after_block = false;
        for node in nodes {
            let word = self.inline(node);
            let is_block = word.is_none();
            if (is_block || after_block) && !out.is_empty() {
                out.push('\n');
            }
            after_block = is_block;
            out.push_str(&word.unwrap_or_else(|| self.block(node)));
        }
        out
    }

    /// What stands within a line; nothing where the node is a block.
    fn inline(&self, node: &Value) -> Option<String> {
        let attribute = |name: &str| node["attrs"][name].as_str().unwrap_or_default();
        Some(match node["type"].as_str()? {
            "text" => self.marked(node),
            "hardBreak" => "\n".to_owned(),
            "mention" | "status" | "placeholder" => attribute("text").to_owned(),
            "emoji" if attribute("text").is_empty() => attribute("shortName").to_owned(),
            "emoji" => attribute("text").to_owned(),
            "inlineCard" => link("", attribute("url"), self.base),
            "date" | "mediaInline" | "inlineExtension" => String::new(),
            _ => return None,
        })
    }

    fn marked(&self, node: &Value) -> String {
        let text = node["text"].as_str().unwrap_or_default();
        let marks = node["marks"].as_array().map_or(&[][..], Vec::as_slice);
        let mark = |kind: &str| marks.iter().find(|mark| mark["type"] == kind);
        if mark("code").is_some() {
            return inline_code(text);
        }
        let text = match mark("link").and_then(|mark| mark["attrs"]["href"].as_str()) {
            Some(url) => link(text, url, self.base),
            None => text.to_owned(),
        };
        if mark("strike").is_some() { format!("~~{text}~~") } else { text }
    }
}

/// Wiki text: what is code, quoted, or a link is written as Markdown has it.
fn wiki(text: &str, base: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, inside, after)) = next_code(rest) {
        out.push_str(&wiki_lines(before, base));
        out.push('\n');
        out.push_str(&code_block(inside.trim_matches('\n')));
        out.push('\n');
        rest = after;
    }
    out.push_str(&wiki_lines(rest, base));
    out
}

/// The next `{code}…{code}` or `{noformat}…{noformat}`: before, inside, after.
fn next_code(text: &str) -> Option<(&str, &str, &str)> {
    /// Longest that stands between the name of a tag and its brace.
    const HEAD: usize = 200;
    let mut names = vec!["code", "noformat"];
    let mut from = 0;
    while let Some(at) = text[from..].find('{').map(|at| from + at) {
        from = at + 1;
        let tag = names.iter().find_map(|name| {
            let rest = text[from..].strip_prefix(name).filter(|it| it.starts_with(['}', ':']))?;
            let head = rest.bytes().take(HEAD).take_while(|b| *b != b'\n').position(|b| b == b'}')?;
            Some((*name, &rest[head + 1..]))
        });
        let Some((name, body)) = tag else { continue };
        match body.split_once(&format!("{{{name}}}")) {
            Some((inside, after)) => return Some((&text[..at], inside, after)),
            // A tag that nothing closes is a word, and so are those of its name that follow.
            None => names.retain(|other| *other != name),
        }
    }
    None
}

fn wiki_lines(text: &str, base: &str) -> String {
    let lines = text.split('\n').map(|line| {
        let line = match line.trim_start().strip_prefix("bq. ") {
            Some(quote) => format!("> {quote}"),
            None => marks(line).replace("{quote}", "").replace("\\\\", "\n"),
        };
        wiki_links(&between(&line, "{{", "}}", |code| Some(inline_code(code))), base)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A line with the marks of headings and lists that Markdown has: `h2. Title`, `* item`, `## item`. Elsewhere, indented
/// text is text in a wiki.
fn marks(line: &str) -> String {
    let line = line.trim_start();
    if let Some((mark, title)) = line.split_once(". ")
        && let Some(level) = mark.strip_prefix('h').and_then(|level| level.parse::<usize>().ok())
        && (1..=6).contains(&level)
    {
        return format!("{} {title}", "#".repeat(level));
    }
    let depth = line.bytes().take_while(|b| matches!(b, b'*' | b'#' | b'-')).count();
    match line[depth..].strip_prefix(' ') {
        Some(item) if (1..=8).contains(&depth) => format!("{}- {item}", "  ".repeat(depth - 1)),
        _ => line.to_owned(),
    }
}

/// `[text|url]`, `[url|url|smart-link]` and `[url]`.
fn wiki_links(line: &str, base: &str) -> String {
    between(line, "[", "]", |inside| {
        let mut parts = inside.split('|');
        let first = parts.next()?;
        let url = parts.next().unwrap_or(first);
        let is_url = url.starts_with("https://") || url.starts_with("http://");
        is_url.then(|| link(first, url, base))
    })
}

/// Replaces what stands between two marks, marks and all, where `new` gives something; of marks within marks the inmost.
fn between(text: &str, open: &str, close: &str, new: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((head, after)) = rest.split_once(close) {
        match head.rsplit_once(open).and_then(|(before, inside)| Some((before, new(inside)?))) {
            Some((before, inside)) => {
                out.push_str(before);
                out.push_str(&inside);
            }
            None => {
                out.push_str(head);
                out.push_str(close);
            }
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Whether it is like `ABC-123`.
pub(super) fn is_key(text: &str) -> bool {
    let Some((project, number)) = text.rsplit_once('-') else { return false };
    text.len() <= 80
        && project.starts_with(|c: char| c.is_ascii_alphabetic())
        && project.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !number.is_empty()
        && number.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const BASE: &str = "https://x.atlassian.net";

    #[test]
    fn documents_become_markdown() {
        let text = |text: &str| json!({"type": "text", "text": text});
        let paragraph = |nodes: Value| json!({"type": "paragraph", "content": nodes});
        let item = |nodes: Value| json!({"type": "listItem", "content": nodes});
        let document = json!({"type": "doc", "version": 1, "content": [
            {"type": "heading", "attrs": {"level": 2}, "content": [text("Needs")]},
            paragraph(json!([text("Blocked by "), {"type": "inlineCard", "attrs": {"url": format!("{BASE}/browse/ABC-2#x")}},
                {"type": "hardBreak"}, {"type": "text", "text": "depends on ABC-8", "marks": [{"type": "code"}]}])),
            {"type": "bulletList", "content": [
                item(json!([paragraph(json!([{"type": "text", "text": "ABC-3", "marks": [{"type": "strong"}, {"type": "link", "attrs": {"href": format!("{BASE}/browse/ABC-3")}}]}])),
                    {"type": "orderedList", "content": [item(json!([paragraph(json!([text("inner")]))]))]}])),
                item(json!([paragraph(json!([{"type": "text", "text": "there", "marks": [{"type": "link", "attrs": {"href": "https://y.org"}}]}]))])),
            ]},
            {"type": "codeBlock", "content": [text("depends on ABC-9\n```")]},
            {"type": "blockquote", "content": [paragraph(json!([text("a")])), paragraph(json!([text("b")]))]},
            {"type": "taskList", "content": [{"type": "taskItem", "attrs": {"state": "TODO"}, "content": [text("requires ABC-4")]}]},
            {"type": "table", "content": [{"type": "tableRow", "content": [
                {"type": "tableCell", "content": [paragraph(json!([text("x")]))]}, {"type": "tableCell", "content": []}]}]},
            {"type": "whatever", "content": [paragraph(json!([text("y"), {"type": "mention", "attrs": {"text": "@me"}}]))]},
            {"type": "mediaSingle"}, 7, null,
        ]});
        let expected = "## Needs\nBlocked by ABC-2\n`depends on ABC-8`\n- ABC-3\n  1. inner\n- [there](https://y.org)\n\
            ````\ndepends on ABC-9\n```\n````\n> a\n> b\n- [ ] requires ABC-4\n| x |  |\ny@me\n";
        assert_eq!(plain(&document, BASE).trim_end(), expected.trim_end());
    }

    #[test]
    fn wiki_text_becomes_markdown() {
        for (text, expected) in [
            ("h2. A\r\nBlocked by: ABC-1", "## A\nBlocked by: ABC-1"),
            ("a {code:java|title=x}depends on ABC-1{code} b", "a \n```\ndepends on ABC-1\n```\nb"),
            ("a\n\n    depends on ABC-1", "a\n\ndepends on ABC-1"),
            ("h2. Dependencies\r\n\r\n* ABC-1\r\n** ABC-2", "## Dependencies\n\n- ABC-1\n  - ABC-2"),
            ("# ABC-1\n#ABC-2\n*bold*\n- c", "- ABC-1\n#ABC-2\n*bold*\n- c"),
            ("depends on ABC-1\\\\ABC-2", "depends on ABC-1\nABC-2"),
            ("{noformat}\nx\n{noformat}", "\n```\nx\n```\n"),
            ("a {code} depends on ABC-1", "a {code} depends on ABC-1"),
            ("{{ABC-1}} and {x}", "`ABC-1` and {x}"),
            ("bq. requires ABC-1", "> requires ABC-1"),
            ("[ABC-1|https://x.atlassian.net/browse/ABC-1]", "ABC-1"),
            (
                "[https://x.atlassian.net/browse/ABC-1|https://x.atlassian.net/browse/ABC-1|smart-link]",
                "ABC-1",
            ),
            ("[the other|https://x.atlassian.net/browse/ABC-1?a=b]", "the other (ABC-1)"),
            ("[x] [y|https://y.org] [", "[x] [y](https://y.org) ["),
        ] {
            assert_eq!(plain(&json!(text), BASE), expected, "{text}");
        }
    }

    #[test]
    fn huge_and_odd_descriptions_take_no_time() {
        let begin = std::time::Instant::now();
        for unit in ["{code", "{code}", "{{", "[", "[a|", "{noformat:x", "bq. ", "{", "]", "[a|b]", "}}"] {
            plain(&json!(unit.repeat((1 << 20) / unit.len())), BASE);
        }
        let mut deep = json!({"type": "text", "text": "x".repeat(1 << 20)});
        for _ in 0..100 {
            deep = json!({"type": "blockquote", "content": [deep]});
        }
        assert!(plain(&deep, BASE).len() > 1 << 20);
        assert!(begin.elapsed().as_secs() < 10, "{:?}", begin.elapsed());
    }
}
