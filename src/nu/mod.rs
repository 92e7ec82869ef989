//! The Nushell plugin: the same commands as the command line, with typed tables in their place of text. Every rule is
//! in `commands`; here are signatures, values, completions and examples, one file a command.
//!
//! Folder, environment and configuration always are the calling session's ([`caller`]). Nothing is kept between two
//! calls: the plugin may be ended by Nushell whenever it is idle.

pub mod batch;
pub mod caller;
pub mod completions;
pub mod demo;
pub mod doctor;
pub mod failure;
pub mod group;
pub mod init;
pub mod pipeline;
pub mod rows;
pub mod schedule;
pub mod signature;
pub mod stream;
mod tables;
pub mod values;
pub mod work;

use nu_plugin::{Plugin, PluginCommand};

/// The plugin.
#[derive(Debug, Clone, Copy)]
pub struct Wf0Plugin;

impl Plugin for Wf0Plugin {
    fn version(&self) -> String {
        env!("CARGO_PKG_VERSION").to_owned()
    }

    fn commands(&self) -> Vec<Box<dyn PluginCommand<Plugin = Self>>> {
        commands()
    }
}

/// All commands.
pub fn commands() -> Vec<Box<dyn PluginCommand<Plugin = Wf0Plugin>>> {
    let mut commands: Vec<Box<dyn PluginCommand<Plugin = Wf0Plugin>>> = Vec::new();
    commands.extend(
        group::GROUPS.into_iter().map(|it| Box::new(it) as Box<dyn PluginCommand<Plugin = Wf0Plugin>>),
    );
    commands.extend([
        Box::new(init::Init) as Box<dyn PluginCommand<Plugin = Wf0Plugin>>,
        Box::new(schedule::create::Create),
        Box::new(schedule::show::Show),
        Box::new(schedule::validate::Validate),
        Box::new(schedule::why::Why),
        Box::new(schedule::edit::Edit),
        Box::new(schedule::clear::Clear),
        Box::new(batch::start::Start),
        Box::new(batch::stop::Stop),
        Box::new(batch::status::Status),
        Box::new(batch::resume::Resume),
        Box::new(batch::logs::ShowLogs),
        Box::new(batch::watch::WatchEvents),
        Box::new(work::next::NextWork),
        Box::new(work::claim::Claim),
        Box::new(work::complete::Complete),
        Box::new(work::fail::Fail),
        Box::new(work::release::Release),
        Box::new(demo::ShowDemo),
        Box::new(doctor::Doctor),
    ]);
    commands
}
