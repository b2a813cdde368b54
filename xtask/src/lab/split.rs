//! For proxies that write one access log only: it gets every layout side by side in one line, and a small shell script
//! takes them apart again, line by line, so that each layout grows as a file of its own.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::proxy::Layout;

/// Stands between two layouts: proxies escape it in values, so no client can write it.
const SEPARATOR: char = '\x1f';

/// Stands in further layouts where the first one's stamp belongs.
const STAMP: char = '\x1e';

/// All layouts as one format string. `stamp` is the directive for the time, which may stand there only once.
pub(crate) fn joined(layouts: &[Layout], stamp: &str) -> String {
    let mut text = String::new();
    for layout in layouts {
        if text.is_empty() {
            text += layout.format;
        } else {
            text.push(SEPARATOR);
            text += &layout.format.replace(stamp, &STAMP.to_string());
        }
    }
    text
}

/// Writes the script, which reads lines of [`joined`], and the empty files that it fills.
pub(crate) fn script(dir: &Path, layouts: &[Layout]) -> Result<PathBuf> {
    let mut text = "#!/bin/bash\nunset LD_PRELOAD\nexport LC_ALL=C\n".to_owned();
    let names: Vec<String> = (0..layouts.len())
        .map(|number| format!("l{number}"))
        .collect();
    writeln!(text, "while IFS=$'\\x1f' read -r {}; do", names.join(" "))?;
    text += "stamp=\"[${l0#*[}\"; stamp=\"${stamp%%]*}]\"\n";
    for (layout, name) in layouts.iter().zip(&names).rev() {
        // The first layout is the one that the recorder waits for: it comes last.
        let file = dir.join(format!("{}.log", layout.name));
        empty(&file)?;
        writeln!(
            text,
            "printf '%s\\n' \"${{{name}/$'\\x1e'/$stamp}}\" >> {}",
            file.display()
        )?;
    }
    text += "done\n";
    let path = dir.join("split.sh");
    std::fs::write(&path, text).with_context(|| path.display().to_string())?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
    Ok(path)
}

/// Makes an empty file that the proxy may write when it has dropped its privileges.
pub(crate) fn empty(path: &Path) -> Result<()> {
    std::fs::write(path, "").with_context(|| path.display().to_string())?;
    Ok(std::fs::set_permissions(
        path,
        std::fs::Permissions::from_mode(0o666),
    )?)
}
