//! Lines on a terminal. The one door out: whatever was put into a line, it leaves here clean and no wider than the
//! screen; colour is added last and only by us.

use anstyle::{AnsiColor, Style};

use crate::clean::{clean, clip, width};

/// What a piece of a line means; the colour follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Plain,
    Bad,
    Warn,
    Good,
    Strong,
    Faint,
}

impl Role {
    fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Bad => AnsiColor::Red.on_default().bold(),
            Self::Warn => AnsiColor::Yellow.on_default().bold(),
            Self::Good => AnsiColor::Green.on_default().bold(),
            Self::Strong => Style::new().bold(),
            Self::Faint => Style::new().dimmed(),
        }
    }
}

/// One line in pieces.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line(Vec<(Role, String)>);

impl Line {
    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Self::default().then(Role::Plain, text)
    }

    pub(crate) fn with(role: Role, text: impl Into<String>) -> Self {
        Self::default().then(role, text)
    }

    #[must_use]
    pub(crate) fn then(mut self, role: Role, text: impl Into<String>) -> Self {
        self.0.push((role, text.into()));
        self
    }
}

/// `label` before the first of `lines`, the others under it.
pub(crate) fn labelled(label: &str, lines: Vec<String>) -> Vec<Line> {
    let pad = " ".repeat(width(label));
    let mut label = Some(Line::with(Role::Faint, label));
    lines
        .into_iter()
        .map(|line| {
            label
                .take()
                .unwrap_or_else(|| Line::plain(pad.clone()))
                .then(Role::Plain, line)
        })
        .collect()
}

/// Renders lines.
pub(crate) fn render(lines: &[Line], columns: usize, color: bool) -> String {
    let mut out = String::new();
    for line in lines {
        let mut left = columns;
        let mut text = String::new();
        for (role, piece) in &line.0 {
            let piece = clip(&clean(piece), left);
            left -= width(&piece).min(left);
            let style = role.style();
            if color && *role != Role::Plain {
                text.push_str(&format!("{style}{piece}{style:#}"));
            } else {
                text.push_str(&piece);
            }
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
    out
}
