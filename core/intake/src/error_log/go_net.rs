//! The texts of Go's network errors, which proxies written in Go put into their logs as they are.

use memchr::memmem;

/// The address that an error text names as the other side: `dial tcp ADDR: `, `read tcp OWN->ADDR: `.
pub(super) fn upstream(text: &[u8]) -> Option<&[u8]> {
    let after_arrow = memmem::find(text, b"->").and_then(|at| text.get(at + 2..));
    let after_dial = || {
        [b"dial tcp ".as_slice(), b"dial unix "]
            .iter()
            .find_map(|dial| {
                let at = memmem::find(text, dial)?;
                text.get(at + dial.len()..)
            })
    };
    let rest = after_arrow.or_else(after_dial)?;
    let address = rest.get(..memmem::find(rest, b": ")?)?;
    // `dial tcp :0` has no address at all.
    (!address.is_empty() && !address.starts_with(b":") && !address.contains(&b' '))
        .then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_side_is_found_in_the_text() {
        for (text, address) in [
            (
                "dial tcp 10.0.0.2:80: connect: connection refused",
                Some("10.0.0.2:80"),
            ),
            (
                "dial tcp [2001:db8::5]:80: connect: no route to host",
                Some("[2001:db8::5]:80"),
            ),
            (
                "dial unix /run/app.sock: connect: permission denied",
                Some("/run/app.sock"),
            ),
            (
                "read tcp 10.0.0.1:4711->10.0.0.2:80: read: connection reset by peer",
                Some("10.0.0.2:80"),
            ),
            (
                "readfrom tcp 10.0.0.1:1->10.0.0.2:80: write tcp 10.0.0.1:1->10.0.0.2:80: write: broken pipe",
                Some("10.0.0.2:80"),
            ),
            ("dial tcp :0: connect: connection refused", None),
            ("dial tcp: lookup app on 10.0.0.53:53: no such host", None),
            ("EOF", None),
            ("dial tcp 10.0.0.2", None),
        ] {
            assert_eq!(
                upstream(text.as_bytes()),
                address.map(str::as_bytes),
                "{text}"
            );
        }
    }
}
