//! Literals that are looked for in most lines: making a finder takes as long as looking through a short line, so each is
//! made once.

/// The finder of a constant text.
macro_rules! finder {
    ($text:expr) => {{
        static FINDER: std::sync::LazyLock<memchr::memmem::Finder<'static>> =
            std::sync::LazyLock::new(|| memchr::memmem::Finder::new($text));
        &*FINDER
    }};
}

/// The same from the end.
macro_rules! last_finder {
    ($text:expr) => {{
        static FINDER: std::sync::LazyLock<memchr::memmem::FinderRev<'static>> =
            std::sync::LazyLock::new(|| memchr::memmem::FinderRev::new($text));
        &*FINDER
    }};
}

pub(crate) use {finder, last_finder};
