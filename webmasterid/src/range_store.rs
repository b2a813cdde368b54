//! Lists of addresses as they were fetched, one file each: four lines of what is known of it, a blank one, then the bytes
//! as they came. One file and not two, so that a list and its date can never be of different days.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use model::Stamp;

/// First line of a stored file. A later layout has another number, and this one then still says what it is.
const HEAD: &str = "# webmasterid address ranges, version 1";
/// How its name ends.
const SUFFIX: &str = ".ranges";

/// A folder of them.
#[derive(Clone, Debug)]
pub(crate) struct RangeStore {
    pub(crate) folder: PathBuf,
}

/// A list as it was stored.
pub(crate) struct Stored {
    pub(crate) fetched: Stamp,
    pub(crate) text: String,
}

impl RangeStore {
    /// The folder that was asked for; else that of the environment; else the user's own.
    pub(crate) fn find(asked: Option<&Path>) -> Option<Self> {
        let folder = asked
            .map(Path::to_owned)
            .or_else(|| given("WEBMASTERID_RANGES").map(PathBuf::from))
            .or_else(|| Some(data_home()?.join("webmasterid/ranges")))?;
        Some(Self { folder })
    }

    /// Whether anything can be stored there; a reason where the folder cannot be looked into.
    pub(crate) fn is_there(&self) -> Result<bool, String> {
        match fs::read_dir(&self.folder) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(files::reason(&error)),
        }
    }

    /// The last good copy of what stands at `url`; `None` where there is none, a reason where it cannot be read.
    pub(crate) fn read(&self, url: &str) -> Result<Option<Stored>, String> {
        let bytes = match fs::read(self.path(url)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(files::reason(&error)),
        };
        let text = String::from_utf8_lossy(&bytes);
        parse(&text, url)
            .map(Some)
            .ok_or_else(|| "not a stored list of version 1; fetch it again".to_owned())
    }

    /// Keeps what was fetched at `url`, or from a mirror of it, in place of an older copy. Whoever reads meanwhile sees
    /// the older one or the new one, whole.
    pub(crate) fn write(
        &self,
        url: &str,
        from: &str,
        fetched: Stamp,
        bytes: &[u8],
    ) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let path = self.path(url);
        let mut name = path.file_name().map(OsString::from).unwrap_or_default();
        // Of its own for each process: two that refresh at once do not write into one file.
        name.push(format!(".{}.tmp", std::process::id()));
        let fresh = self.folder.join(name);
        let written =
            write_whole(&fresh, url, from, fetched, bytes).and_then(|()| fs::rename(&fresh, &path));
        if written.is_err() {
            // What is left of it is of no use; the failure is told, this one would not help.
            let _ = fs::remove_file(&fresh);
        }
        written
    }

    fn path(&self, url: &str) -> PathBuf {
        let name: String = url
            .trim_start_matches("https://")
            .chars()
            .map(|char| match char {
                'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' => char,
                _ => '_',
            })
            .collect();
        self.folder.join(name + SUFFIX)
    }
}

fn write_whole(path: &Path, url: &str, from: &str, fetched: Stamp, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    let at = Timestamp::from_millisecond(fetched.0).unwrap_or_default();
    write!(
        file,
        "{HEAD}\n# source: {url}\n# fetched from: {from}\n# fetched at: {at}\n\n"
    )?;
    file.write_all(bytes)?;
    // A rename may reach the disk before the bytes do.
    file.sync_all()
}

fn parse(text: &str, url: &str) -> Option<Stored> {
    let (head, body) = text.split_once("\n\n")?;
    let mut lines = head.lines();
    if lines.next() != Some(HEAD) {
        return None;
    }
    let value = |name: &str| {
        let mut lines = head.lines();
        lines.find_map(|line| {
            line.strip_prefix("# ")?
                .strip_prefix(name)?
                .strip_prefix(": ")
        })
    };
    let fetched: Timestamp = value("fetched at")?.parse().ok()?;
    (value("source") == Some(url)).then(|| Stored {
        fetched: Stamp(fetched.as_millisecond()),
        text: body.to_owned(),
    })
}

/// As the XDG base directory specification has it: what is not absolute does not count.
fn data_home() -> Option<PathBuf> {
    let absolute = |path: PathBuf| path.is_absolute().then_some(path);
    let named = given("XDG_DATA_HOME").map(PathBuf::from).and_then(absolute);
    named.or_else(|| Some(PathBuf::from(given("HOME")?).join(".local/share")))
}

fn given(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    const URL: &str = "https://a.example/ranges/list.json?format=json";

    #[test]
    fn what_is_written_is_read_and_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let store = RangeStore::find(Some(&folder.path().join("new/ranges"))).unwrap();
        assert!(store.read(URL).unwrap().is_none());
        let at = Stamp::from_secs(1_795_334_400);
        store.write(URL, URL, at, b"{}\n\nmore").unwrap();
        store
            .write(URL, "https://mirror/x", at.plus_secs(1), b"[]")
            .unwrap();
        let stored = store.read(URL).unwrap().unwrap();
        assert_eq!(
            (stored.fetched, stored.text.as_str()),
            (at.plus_secs(1), "[]")
        );
        assert_eq!(fs::read_dir(&store.folder).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_stored_list_is_said_to_be_none() {
        let folder = tempfile::tempdir().unwrap();
        let store = RangeStore::find(Some(folder.path())).unwrap();
        for text in [
            "",
            "{}",
            "# webmasterid address ranges, version 2\n\n{}",
            "# webmasterid address ranges, version 1\n\n{}",
        ] {
            fs::write(store.path(URL), text).unwrap();
            assert!(store.read(URL).is_err(), "{text}");
        }
    }
}
