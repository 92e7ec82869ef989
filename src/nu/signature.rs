//! What signatures have in common.

use nu_protocol::{Category, Signature, SyntaxShape, Type};

/// One of several types, as a flag decides. Nushell makes one type of those that it can.
pub fn either<const N: usize>(types: [Type; N]) -> Type {
    match Type::one_of(types) {
        Type::OneOf(of) if of.iter().count() == 1 => of.iter().next().cloned().unwrap_or(Type::Any),
        other => other,
    }
}

/// What the commands of wf0 share.
pub trait Shared {
    /// A command of wf0.
    fn of_wf0(self) -> Self;
    /// One that works on a project.
    fn of_a_project(self) -> Self;
    /// One that takes nothing from the pipe and gives this.
    fn gives(self, output: Type) -> Self;
}

impl Shared for Signature {
    fn of_wf0(self) -> Signature {
        self.category(Category::Custom("wf0".to_owned()))
    }

    fn of_a_project(self) -> Signature {
        self.of_wf0().named(
            "project",
            SyntaxShape::Directory,
            "The project's root; without it, the first folder upwards that holds .wf.",
            None,
        )
    }

    fn gives(self, output: Type) -> Signature {
        self.input_output_type(Type::Nothing, output)
    }
}
