//! What holds for every command alike.

use std::collections::{BTreeMap, BTreeSet};

use nu_protocol::{Category, Type};

/// Flags that only Nushell has: how often a quiet stream gives a row, and a drawing, for which the command line has
/// its `--format` of everything.
const ONLY_HERE: [&str; 2] = ["wf0 batch watch --pulse", "wf0 batch start --format"];

/// Processes in the foreground.
const ONLY_CLI: [&str; 2] = ["wf0 batch daemon", "wf0 batch worker"];

fn is_group(name: &str) -> bool {
    ["wf0", "wf0 schedule", "wf0 batch", "wf0 work"].contains(&name)
}

/// Every type in a type.
fn parts(of: &Type) -> Vec<&Type> {
    let inner: Vec<&Type> = match of {
        Type::Table(columns) | Type::Record(columns) => columns.iter().map(|(_, it)| it).collect(),
        Type::List(item) => vec![item],
        Type::OneOf(options) => options.iter().collect(),
        _ => Vec::new(),
    };
    std::iter::once(of).chain(inner.into_iter().flat_map(parts)).collect()
}

#[test]
fn every_command_says_what_it_is_takes_and_gives() {
    let commands = wf0::nu::commands();
    assert_eq!(commands.len(), 24);
    for command in &commands {
        let (name, signature) = (command.name(), command.signature());
        assert_eq!(signature.name, name);
        assert!(name == "wf0" || name.starts_with("wf0 "), "{name}");
        let description = command.description();
        assert!(
            description.ends_with('.') && description.matches(". ").count() == 0,
            "{name}: {description}"
        );
        assert!(description.len() <= 80, "{name}: {description}");
        assert!(description.starts_with(|c: char| c.is_uppercase()), "{name}: {description}");
        assert_eq!(signature.category, Category::Custom("wf0".into()), "{name}");
        assert!(command.search_terms().len() >= 3, "{name}");

        assert!(!signature.input_output_types.is_empty(), "{name}");
        for (_, output) in &signature.input_output_types {
            let any = parts(output).contains(&&Type::Any);
            assert!(!any, "{name}: {output}");
            // A choice of one thing is none, and looks odd in help.
            let single =
                parts(output).into_iter().any(|it| matches!(it, Type::OneOf(of) if of.iter().count() < 2));
            assert!(!single, "{name}: {output}");
        }
        for flag in &signature.named {
            assert!(flag.desc.ends_with('.') || flag.long == "help", "{name} --{}: {}", flag.long, flag.desc);
        }
        let optional = signature.optional_positional.iter().chain(&signature.rest_positional);
        for positional in signature.required_positional.iter().chain(optional) {
            assert!(positional.desc.ends_with('.'), "{name} {}", positional.name);
        }
        let has_project = signature.named.iter().any(|flag| flag.long == "project");
        assert_eq!(has_project, !is_group(name) && name != "wf0 demo", "{name} --project");

        let examples = command.examples();
        assert!(examples.len() >= 2, "{name}");
        let with_result = examples.iter().filter(|example| example.result.is_some()).count();
        assert!(with_result >= 1 || is_group(name), "{name}");
        for example in &examples {
            assert!(example.description.ends_with('.'), "{name}: {}", example.description);
            assert!(example.example.contains(name), "{name}: {}", example.example);
        }
    }
}

/// Commands with their flags, as one types them.
type Grammar = BTreeMap<String, BTreeSet<String>>;

fn of_the_command_line(name: &str, command: &clap::Command, found: &mut Grammar) {
    let flags = command.get_arguments().filter(|it| !it.is_hide_set() && !it.is_global_set());
    let long = flags.filter_map(|it| it.get_long().map(str::to_owned));
    found.insert(name.to_owned(), long.filter(|it| it != "help" && it != "version").collect());
    for inner in command.get_subcommands().filter(|it| !it.is_hide_set() && it.get_name() != "help") {
        of_the_command_line(&format!("{name} {}", inner.get_name()), inner, found);
    }
}

#[test]
fn both_front_ends_speak_the_same_words() {
    let mut typed = Grammar::new();
    of_the_command_line("wf0", &wf0::cli::grammar(), &mut typed);
    for only in ONLY_CLI {
        assert!(typed.remove(only).is_some(), "{only}");
    }
    let mut only_here = BTreeSet::from(ONLY_HERE);
    let here: Grammar = wf0::nu::commands()
        .iter()
        .map(|command| {
            let name = command.name().to_owned();
            let flags = command.signature().named.into_iter().map(|flag| flag.long);
            let flags = flags.filter(|flag| !["help", "project"].contains(&flag.as_str()));
            let flags = flags.filter(|flag| !only_here.remove(format!("{name} --{flag}").as_str()));
            let flags = flags.collect();
            (name, flags)
        })
        .collect();
    assert_eq!(here, typed);
    assert!(only_here.is_empty(), "{only_here:?}");
}
