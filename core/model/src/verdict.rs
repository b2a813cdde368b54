//! What an incident is in time.

/// The verdicts. They cannot overlap: the first that holds, in the order of the enum, is the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// The failing share follows the load.
    Overload,
    /// Three runs or more, each up to 30 minutes, on a schedule.
    Recurring,
    /// At least two upstreams drop out in turn and come back within 70 minutes.
    Restart,
    /// One run of at most 10 minutes. The limit is this project's convention.
    Blip,
    /// One run of more than 10 minutes that fails at least half.
    Persistent,
    /// One run of more than 10 minutes that fails less than half.
    Intermittent,
}

impl Verdict {
    /// Every verdict, in the order they are tested.
    pub const ALL: [Self; 6] = [
        Self::Overload,
        Self::Recurring,
        Self::Restart,
        Self::Blip,
        Self::Persistent,
        Self::Intermittent,
    ];

    /// The name in every output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Overload => "overload",
            Self::Recurring => "recurring",
            Self::Restart => "restart",
            Self::Blip => "blip",
            Self::Persistent => "persistent",
            Self::Intermittent => "intermittent",
        }
    }

    /// The verdict of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.name() == name)
    }
}
