//! What has happened, as types. A change tells facts; the directory, webhooks, logs and pages read them back and match
//! them whole: a new fact does not compile until each of them has decided what it is to them.
//!
//! The table ([`table`]) says of each fact under which kind and subject and in which JSON it is stored.

mod datum;
mod reach;
mod table;

use domain::kernel::event::Subject;
use serde_json::{Map, Value as Json};
use store::kernel::event::Event;

use datum::Key;

pub use datum::{Before, Datum};
pub use reach::Reach;
pub use table::{CoaAnswer, Fact, Invoiced, Turned};

/// Of the JSON that [`Fact::body`] makes; a row of another version was written by a build that is not this one.
pub const VERSION: i64 = 1;

impl Fact {
    /// What an event says; `None`: no build up to this one wrote it so.
    pub fn read(event: &Event) -> Option<Fact> {
        if event.version != VERSION {
            return None;
        }
        let subject = Subject::from_parts(&event.subject, event.subject_id)?;
        let body: Json = serde_json::from_str(&event.body).ok()?;
        Fact::of(event.kind, subject, &body)
    }

    /// That a line stands otherwise than before, and why.
    pub fn stands(
        line: domain::ServiceId,
        customer: domain::CustomerId,
        status: domain::Status,
        reason: String,
    ) -> Fact {
        use domain::Status;
        match status {
            Status::Active => Fact::ServiceActivated { line, customer, status, reason },
            Status::Suspended => Fact::ServiceSuspended { line, customer, status, reason },
            Status::Disabled => Fact::ServiceDisabled { line, customer, status, reason },
            Status::Inactive | Status::Pending | Status::AwaitingApproval | Status::Rejected | Status::Terminated => {
                Fact::ServiceDeactivated { line, customer, status, reason }
            }
        }
    }
}

/// Several data that go together in the bodies of more than one fact.
trait Part: Sized {
    fn write(&self, body: &mut Map<String, Json>);
    fn read(body: &Json) -> Option<Self>;
}

/// A part and its keys.
macro_rules! parts {
    ($($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $field:ident: $type:ty),* $(,)? })*) => { $(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Debug)]
        pub struct $name { $($(#[$about])* pub $field: $type),* }

        impl Part for $name {
            fn write(&self, body: &mut Map<String, Json>) {
                $(body.insert(stringify!($field).into(), self.$field.stored());)*
            }

            fn read(body: &Json) -> Option<Self> {
                Some($name { $($field: Datum::read(&body[stringify!($field)])?),* })
            }
        }
    )* };
}

/// The facts: `name = kind of Subject(id: type) { field: type, .. } + part: type`. `said` after an id: the body has it too.
/// `["key"]` after a field: its key in the body, where it has another name. Where several facts are of one kind they are
/// told apart by what their bodies must hold, or by `is "key": value`, or by `with "key"` being there; the first that
/// fits is it.
macro_rules! facts {
    ($(
        $(#[$doc:meta])*
        $name:ident = $kind:ident of $noun:ident $(($id:ident: $id_type:ty $(, $said:ident)?))?
        $({ $($(#[$about:meta])* $field:ident $([$key:literal])?: $type:ty),* $(,)? })?
        $(+ $part:ident: $part_type:ty)?
        $(, is $is:literal: $value:literal)?
        $(, with $with:literal)?;
    )*) => {
        #[derive(Clone, PartialEq, Eq, Debug)]
        pub enum Fact { $(
            $(#[$doc])*
            $name { $($id: $id_type,)? $($($(#[$about])* $field: $type,)*)? $($part: $part_type,)? }
        ),* }

        impl Fact {
            pub fn kind(&self) -> EventKind {
                match self { $(Fact::$name { .. } => EventKind::$kind),* }
            }

            pub fn subject(&self) -> Subject {
                match self { $(Fact::$name { $($id,)? .. } => subject!($noun $($id)?)),* }
            }

            /// The JSON that is stored with it.
            #[allow(unused_mut)]
            pub fn body(&self) -> Json {
                let mut body = Map::new();
                match self { $(
                    Fact::$name { $($id,)? $($($field,)*)? $($part,)? } => {
                        $(said!(body, $id $(, $said)?);)?
                        $($(body.insert(key!($field $(, $key)?).into(), $field.stored());)*)?
                        $($part.write(&mut body);)?
                        $(body.insert($is.into(), $value.into());)?
                    }
                )* }
                body.into()
            }

            pub fn of(kind: EventKind, subject: Subject, body: &Json) -> Option<Fact> {
                $(
                    let marked = true $(&& body[$is] == $value)? $(&& body.get($with).is_some())?;
                    if kind == EventKind::$kind && marked {
                        let read = || {
                            $(let Subject::$noun($id) = subject else { return None };)?
                            Some(Fact::$name {
                                $($id: Key::of($id),)?
                                $($($field: Datum::read(&body[key!($field $(, $key)?)])?,)*)?
                                $($part: Part::read(body)?,)?
                            })
                        };
                        if let Some(fact) = read() {
                            return Some(fact);
                        }
                    }
                )*
                None
            }

            pub fn name(&self) -> &'static str {
                match self { $(Fact::$name { .. } => stringify!($name)),* }
            }

            /// The name of each, in the table's order.
            pub const NAMES: &[&'static str] = &[$(stringify!($name)),*];
        }
    };
}

macro_rules! subject {
    ($noun:ident) => {
        Subject::$noun
    };
    ($noun:ident $id:ident) => {
        Subject::$noun($id.number())
    };
}

macro_rules! key {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident, $key:literal) => {
        $key
    };
}

macro_rules! said {
    ($body:ident, $id:ident) => {
        let _ = $id;
    };
    ($body:ident, $id:ident, said) => {
        $body.insert(stringify!($id).into(), $id.stored());
    };
}

use {facts, key, parts, said, subject};
