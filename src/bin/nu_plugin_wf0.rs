//! The Nushell plugin.

use nu_plugin::{MsgPackSerializer, serve_plugin};

fn main() {
    serve_plugin(&wf0::nu::Wf0Plugin, MsgPackSerializer);
}
