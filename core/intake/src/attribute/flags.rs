//! Envoy's own words: response flags, and reasons whose blanks some releases write as underscores.

/// Long names, which some layouts write, and the short ones.
///
/// Source: envoy `source/common/stream_info/utility.h` 02c062b5c969, `ALL_RESPONSE_STRINGS_FLAGS`.
const LONG_NAMES: [(&str, &str); 30] = [
    ("FailedLocalHealthCheck", "LH"),
    ("NoHealthyUpstream", "UH"),
    ("UpstreamRequestTimeout", "UT"),
    ("LocalReset", "LR"),
    ("UpstreamRemoteReset", "UR"),
    ("UpstreamConnectionFailure", "UF"),
    ("UpstreamConnectionTermination", "UC"),
    ("UpstreamOverflow", "UO"),
    ("NoRouteFound", "NR"),
    ("DelayInjected", "DI"),
    ("FaultInjected", "FI"),
    ("RateLimited", "RL"),
    ("UnauthorizedExternalService", "UAEX"),
    ("RateLimitServiceError", "RLSE"),
    ("DownstreamConnectionTermination", "DC"),
    ("DownstreamRemoteReset", "DR"),
    ("UpstreamRetryLimitExceeded", "URX"),
    ("StreamIdleTimeout", "SI"),
    ("InvalidEnvoyRequestHeaders", "IH"),
    ("DownstreamProtocolError", "DPE"),
    ("UpstreamMaxStreamDurationReached", "UMSDR"),
    ("ResponseFromCacheFilter", "RFCF"),
    ("NoFilterConfigFound", "NFCF"),
    ("DurationTimeout", "DT"),
    ("UpstreamProtocolError", "UPE"),
    ("NoClusterFound", "NC"),
    ("OverloadManagerTerminated", "OM"),
    ("DnsResolutionFailed", "DF"),
    ("DropOverload", "DO"),
    ("DropOverLoad", "DO"),
];

/// Whether `wanted`, a short name or `-` for none, is one of the flags in `list`.
pub(super) fn has(list: &[u8], wanted: &str) -> bool {
    let mut flags = list.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    flags.any(|flag| short(flag) == wanted.as_bytes())
}

/// Whether `list` holds nothing but flags, or the dash that stands for none.
pub(crate) fn is_response_flags(list: &[u8]) -> bool {
    let is_flag = |flag: &[u8]| {
        let known =
            |(long, short): (&str, &str)| [long.as_bytes(), short.as_bytes()].contains(&flag);
        LONG_NAMES.into_iter().any(known)
    };
    list == b"-" || list.split(|byte| *byte == b',').all(is_flag)
}

fn short(flag: &[u8]) -> &[u8] {
    let named = LONG_NAMES
        .into_iter()
        .find(|(long, _)| long.as_bytes() == flag);
    named.map_or(flag, |(_, short)| short.as_bytes())
}

/// Whether `text` stands in `line`; a `_` of `text` also stands for a blank.
pub(super) fn find_words(line: &[u8], text: &str) -> bool {
    let same = |(byte, wanted): (&u8, &u8)| byte == wanted || *wanted == b'_' && *byte == b' ';
    !text.is_empty()
        && line
            .windows(text.len())
            .any(|part| part.iter().zip(text.as_bytes()).all(same))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_is_found_among_several_under_both_names() {
        for (list, wanted) in [
            ("UF", "UF"),
            ("URX,UF", "UF"),
            ("UF,URX", "URX"),
            ("UpstreamConnectionFailure,UpstreamRetryLimitExceeded", "UF"),
            ("-", "-"),
        ] {
            assert!(has(list.as_bytes(), wanted), "{list} {wanted}");
        }
        for (list, wanted) in [("URX", "UR"), ("RLSE", "RL"), ("UF", "-"), ("", "UF")] {
            assert!(!has(list.as_bytes(), wanted), "{list} {wanted}");
        }
    }

    #[test]
    fn a_reason_is_found_with_blanks_and_without() {
        for line in [
            "delayed connect error: Connection refused",
            "delayed_connect_error:_Connection_refused",
        ] {
            assert!(find_words(line.as_bytes(), "Connection_refused"), "{line}");
        }
        assert!(!find_words(b"Connection", "Connection_refused"));
        assert!(!find_words(b"", "x"));
    }
}
