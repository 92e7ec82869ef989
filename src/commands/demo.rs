//! `wf0 demo`: the whole thing on a throw-away repository with a bare origin and a built-in agent.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Code, Error, Result, plain};
use crate::platform::children::{Never, run};
use crate::platform::environment;
use crate::project::Project;
use crate::worktree::LOCAL_ENVIRONMENT;

/// A demo project, made but not started.
#[derive(Debug, Clone)]
pub struct Demo {
    /// The folder that holds everything; removing it removes the demo.
    pub folder: PathBuf,
    /// The project.
    pub project: Project,
}

/// How long the built-in agent takes for a phase where nobody says.
pub const PACE: Duration = Duration::from_millis(300);

/// The five works: identifier, title, dependencies.
const WORKS: [(&str, &str, &[&str]); 5] = [
    ("FEAT-100-database", "Create the database", &[]),
    ("FEAT-123-auth", "Add authentication", &["FEAT-100-database"]),
    ("FEAT-125-api", "Offer an API", &["FEAT-100-database"]),
    ("FEAT-124-export", "Export data", &["FEAT-123-auth"]),
    ("FEAT-126-ui", "Build the user interface", &["FEAT-125-api"]),
];

/// Makes the repository, its origin, the configuration and the schedule, in a fresh folder below the system's
/// temporary one. `pace` is how long the built-in agent takes for a phase.
///
/// # Errors
/// git is missing or refuses; no space.
pub fn prepare(pace: Duration) -> Result<Demo> {
    let scratch = tempfile::Builder::new()
        .prefix("wf0-demo-")
        .tempdir()
        .map_err(|error| Error::file("make a folder in", &std::env::temp_dir(), &error))?;
    let folder = scratch.path().to_owned();
    let (root, origin) = (folder.join("project"), folder.join("origin.git"));
    let at = |place: &Path| place.to_string_lossy().into_owned();
    git(&folder, &["init", "-q", "--bare", "-b", "main", &at(&origin)])?;
    git(&folder, &["init", "-q", "-b", "main", &at(&root)])?;
    for (key, value) in
        [("user.name", "wf0 demo"), ("user.email", "demo@localhost"), ("commit.gpgsign", "false")]
    {
        git(&root, &["config", key, value])?;
    }
    write(&root.join("README.md"), "# A demo project of wf0\n")?;
    git(&root, &["add", "README.md"])?;
    git(&root, &["commit", "-q", "-m", "Begin"])?;
    git(&root, &["remote", "add", "origin", &at(&origin)])?;
    git(&root, &["push", "-q", "origin", "main"])?;
    super::init::init(&root)?;
    let project = Project::at(&root)?;
    let program = crate::platform::program::wf0()?;
    let phases: Vec<serde_json::Value> = crate::agent::DEFAULT_PHASES
        .iter()
        .map(|name| {
            let command = serde_json::json!([
                program.to_string_lossy(),
                "demo",
                "--agent",
                pace.as_millis().to_string()
            ]);
            serde_json::json!({"name": name, "command": command})
        })
        .collect();
    let config = serde_json::json!({"batch": {"tmux": false, "phases": phases}});
    write(&project.config_file(), &format!("{config:#}\n"))?;
    let records: Vec<serde_json::Value> = WORKS
        .iter()
        .map(|(id, title, dependencies)| serde_json::json!({"work_id": id, "title": title, "dependencies": dependencies}))
        .collect();
    let request = super::create::Request {
        from: vec![super::create::From::Text {
            text: serde_json::Value::from(records).to_string().into_bytes(),
            name: "the demo".into(),
        }],
        ..super::create::Request::default()
    };
    super::create::create(&project, &request)?;
    // Until here nobody has been told of it, and a demo that can't be made leaves nothing.
    Ok(Demo { folder: scratch.keep(), project })
}

/// The built-in agent: writes a file for the phase it is called for, and commits it. Where it is, and for what, it
/// reads from the environment, as any phase can.
///
/// # Errors
/// Called outside a phase; git refuses.
pub fn agent(pace: Duration) -> Result<String> {
    let variable = |name: &str| {
        std::env::var(name).map_err(|_| {
            Error::new(
                Code::Usage,
                format!("{name} is not set: the demo's agent runs only as a phase"),
                "run `wf0 demo`",
            )
        })
    };
    let (id, phase, title) = (variable("WF0_WORK_ID")?, variable("WF0_PHASE")?, variable("WF0_TITLE")?);
    let worktree = PathBuf::from(variable("WF0_WORKTREE")?);
    // The agent's pretended thinking, so that there is something to watch.
    std::thread::sleep(pace);
    let folder = worktree.join(&id);
    std::fs::create_dir_all(&folder).map_err(|error| Error::file("create the folder", &folder, &error))?;
    let file = folder.join(format!("{phase}.md"));
    write(&file, &format!("# {title}\n\n{phase}: done.\n"))?;
    git(&worktree, &["add", "--", &file.to_string_lossy()])?;
    git(&worktree, &["commit", "-q", "-m", &format!("{id}: {phase}")])?;
    Ok(format!("{id} {phase}: wrote and committed {id}/{phase}.md"))
}

/// The branches of the demo's origin, with how many commits each has beyond main.
///
/// # Errors
/// git refuses.
pub fn branches(demo: &Demo) -> Result<Vec<(String, u32)>> {
    let origin = demo.folder.join("origin.git");
    let listed = git(&origin, &["for-each-ref", "--format=%(refname:short)", "refs/heads/feat"])?;
    listed
        .lines()
        .map(|branch| {
            let count = git(&origin, &["rev-list", "--count", &format!("main..{branch}")])?;
            Ok((branch.to_owned(), count.trim().parse().unwrap_or(0)))
        })
        .collect()
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).map_err(|error| Error::file("write", path, &error))
}

fn git(folder: &Path, arguments: &[&str]) -> Result<String> {
    let mut command = environment::command("git");
    command.arg("-C").arg(folder).args(arguments).env("GIT_TERMINAL_PROMPT", "0");
    for name in LOCAL_ENVIRONMENT {
        command.env_remove(name);
    }
    let done = run(&mut command, &mut Never).map_err(|error| match error {
        crate::platform::children::RunError::Io(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Error::new(Code::NoGit, "git is not installed", "install git, then run the same command again")
        }
        crate::platform::children::RunError::Io(error) => {
            Error::new(Code::Git, format!("git can't be run: {}", plain(&error)), "run `wf0 doctor`")
        }
        crate::platform::children::RunError::Interrupted => Error::new(Code::Interrupted, "interrupted", ""),
    })?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr);
        return Err(Error::new(
            Code::Git,
            format!(
                "git {} failed: {}",
                arguments.first().copied().unwrap_or_default(),
                crate::schedule::id::printable(said.trim())
            ),
            "see what it says; `wf0 doctor` checks git",
        ));
    }
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}
