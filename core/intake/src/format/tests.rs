//! Recognition as a whole: facts' samples, strings as users give them, properties, and other people's logs.
#![expect(
    clippy::disallowed_methods,
    reason = "reads the shared logs and where they lie"
)]

use std::{
    collections::BTreeMap,
    io::Read,
    path::{Path, PathBuf},
};

use model::{Edge, Field};
use proptest::prelude::*;

use super::{
    Formats, Layout, Reason, Spans,
    testing::{Fields, fields},
    time::parse_time,
};

struct Found {
    name: String,
    edge: Edge,
    fields: Fields,
}

fn recognise(formats: &Formats, line: &[u8]) -> Result<Found, Reason> {
    let mut spans = Spans::new();
    let mut scratch = Vec::new();
    let format = formats.recognise(line, &mut scratch, &mut spans)?;
    Ok(Found {
        name: formats.name(format).to_owned(),
        edge: format.edge,
        fields: fields(line, &scratch, &spans),
    })
}

fn built_in() -> Formats {
    Formats::new(Vec::new())
}

fn with(text: &str) -> Formats {
    Formats::new(vec![Layout::parse_string("mine", text).unwrap().0])
}

#[track_caller]
fn check(formats: &Formats, line: &str, wanted: &[(Field, &str)]) {
    let found = recognise(formats, line.as_bytes()).unwrap();
    for (field, value) in wanted {
        assert_eq!(
            found.fields.get(*field),
            Some(*value),
            "{} in {line}",
            field.name()
        );
    }
}

#[test]
fn every_sample_of_facts_is_recognised_by_name() {
    let formats = built_in();
    for format in knowledge::formats() {
        for sample in format.samples {
            let found = recognise(&formats, sample.as_bytes()).unwrap();
            assert_eq!(found.name, format.name, "{sample}");
            let status = found.fields.get(Field::Status).unwrap();
            assert!(sample.contains(&format!(" {status} ")), "{sample}");
            let time = found.fields.get(Field::Time).unwrap();
            assert!(parse_time(time.as_bytes()).is_some(), "{sample}");
        }
    }
}

#[test]
fn what_is_appended_to_combined_is_named_where_it_can_be() {
    let line = r#"192.0.2.7 - - [22/Nov/2026:07:25:33 +0000] "GET / HTTP/1.1" 502 157 "-" "x" "-" rt=0.001 us="502, 502""#;
    let found = recognise(&built_in(), line.as_bytes()).unwrap();
    assert_eq!(found.name, "combined-extended");
    assert_eq!(found.edge, Edge::Nginx);
    check(
        &built_in(),
        line,
        &[
            (Field::UserAgent, "x"),
            (Field::ForwardedFor, "-"),
            (Field::Duration, "0.001"),
            (Field::UpstreamStatus, "502, 502"),
        ],
    );
    let unnamed = r#"192.0.2.7 - - [22/Nov/2026:07:25:33 +0000] "GET / HTTP/1.1" 502 157 "-" "x" 0.001 0.002"#;
    assert_eq!(
        recognise(&built_in(), unnamed.as_bytes())
            .unwrap()
            .fields
            .get(Field::Duration),
        None
    );
}

#[test]
fn angies_extended_layout() {
    let line = r#"192.0.2.7 - - [22/Nov/2026:07:25:33 +0000] "GET /a?b HTTP/1.1" 502 157 "-" rt="0.041" "x \x22y\x22 us=1" "-" h="shop.example" sn="shop" ru="/a?b" u="/a" ucs="-" ua="10.0.0.1:80, 10.0.0.2:80" us="502, 502" uct="-, 0.001" urt="0.001, 0.040""#;
    check(
        &built_in(),
        line,
        &[
            (Field::UserAgent, r"x \x22y\x22 us=1"),
            (Field::Referer, "-"),
            (Field::Duration, "0.041"),
            (Field::Host, "shop.example"),
            (Field::ServerName, "shop"),
            (Field::UpstreamAddr, "10.0.0.1:80, 10.0.0.2:80"),
            (Field::UpstreamStatus, "502, 502"),
            (Field::UpstreamConnectTime, "-, 0.001"),
        ],
    );
    let found = recognise(&built_in(), line.as_bytes()).unwrap();
    assert_eq!(found.edge, Edge::Nginx);
    // A quoted value that is no referrer is the agent of a layout without one.
    let agent = r#"192.0.2.7 - - [22/Nov/2026:07:25:33 +0000] "GET / HTTP/1.1" 502 157 "curl/8" rt="0.041" "192.0.2.9""#;
    let found = recognise(&built_in(), agent.as_bytes()).unwrap();
    assert_eq!(found.fields.get(Field::UserAgent), None);
}

#[test]
fn cloudfront_as_json_has_its_stamp_in_one_piece() {
    let line = r#"{"date":"2026-11-22","time": "07:25:33","x-edge-location":"FRA60-P1","sc-bytes":"182","c-ip":"192.0.2.7","cs-method":"GET","cs(Host)":"d111.cloudfront.net","cs-uri-stem":"/a","sc-status":"502","cs(User-Agent)":"Mozilla/5.0%20(x)","cs-uri-query":"b=1","x-edge-result-type":"Error","x-host-header":"www.example.com","cs-protocol":"https","time-taken":"0.5","x-edge-detailed-result-type":"OriginDnsError"}"#;
    check(
        &built_in(),
        line,
        &[
            (Field::Time, "2026-11-22 07:25:33"),
            (Field::Target, "/a"),
            (Field::Query, "b=1"),
            (Field::Host, "www.example.com"),
            (Field::Status, "502"),
            (Field::UserAgent, "Mozilla/5.0 (x)"),
            (Field::CacheStatus, "Error"),
            (Field::ResultCode, "OriginDnsError"),
        ],
    );
    assert_eq!(
        recognise(&built_in(), line.as_bytes()).unwrap().name,
        "cloudfront-json"
    );
}

#[test]
fn line_ends_of_either_kind() {
    for end in ["", "\r", "\n", "\r\n"] {
        let line =
            format!("192.0.2.7 - - [22/Nov/2026:07:25:33 +0000] \"-\" 408 0 \"-\" \"x\"{end}");
        check(
            &built_in(),
            &line,
            &[(Field::UserAgent, "x"), (Field::Status, "408")],
        );
    }
}

#[test]
fn nginx_strings() {
    check(
        &with(
            "$remote_addr|$time_iso8601|$status|$request_method|$scheme://$host$request_uri|$http_user_agent",
        ),
        "192.0.2.7|2026-11-22T07:25:33+00:00|502|GET|https://a.example/b|c|d?e|x|y",
        &[
            (Field::ClientAddr, "192.0.2.7"),
            (Field::Time, "2026-11-22T07:25:33+00:00"),
            (Field::Host, "a.example"),
            (Field::Target, "/b"),
            (Field::UserAgent, "c|d?e|x|y"),
        ],
    );
    check(
        &with(
            r#"$msec $time_local $status $upstream_addr $upstream_status "$uri$is_args$args" $made_up"#,
        ),
        r#"1795332333.042 22/Nov/2026:07:25:33 +0000 502 10.0.0.1:80, 10.0.0.2:80 502, 200 "/a?b=c" foo bar"#,
        &[
            (Field::Time, "22/Nov/2026:07:25:33 +0000"),
            (Field::UpstreamAddr, "10.0.0.1:80, 10.0.0.2:80"),
            (Field::UpstreamStatus, "502, 200"),
            (Field::Target, "/a?b=c"),
        ],
    );
    check(
        &with("[$time_local] $status\\t\"$http_user_agent\" ${request_time}s"),
        "[22/Nov/2026:07:25:33 +0000] 009\t\"a \" b\" 0.001s",
        &[
            (Field::Status, "009"),
            (Field::UserAgent, "a \" b"),
            (Field::Duration, "0.001"),
        ],
    );
}

#[test]
fn braces_are_not_always_json() {
    check(
        &with("{$remote_addr} {$status} {$time_iso8601}"),
        "{192.0.2.7} {502} {2026-11-22T07:25:33Z}",
        &[(Field::ClientAddr, "192.0.2.7"), (Field::Status, "502")],
    );
}

#[test]
fn apache_strings() {
    check(
        &with(
            r#"%a %{%Y-%m-%dT%H:%M:%S%z}t \"%m %U%q %H\" %>s %B %D %{ms}T \"%{User-Agent}i\" %X %{proxy-status}n %L"#,
        ),
        r#"192.0.2.7 2026-11-22T07:25:33+0000 "GET /a?b HTTP/1.1" 502 157 1234 1 "x \"y\"" + 502 aBc"#,
        &[
            (Field::Time, "2026-11-22T07:25:33+0000"),
            (Field::Target, "/a?b"),
            (Field::Protocol, "HTTP/1.1"),
            (Field::DurationMicros, "1234"),
            (Field::DurationMillis, "1"),
            (Field::UserAgent, r#"x \"y\""#),
            (Field::ConnectionStatus, "+"),
            (Field::ProxyStatus, "502"),
            (Field::ErrorLogId, "aBc"),
        ],
    );
    check(
        &with(r#"%h [%{%d/%b/%Y %T}t.%{msec_frac}t %{%z}t] %s %>s 100%%"#),
        "192.0.2.7 [22/Nov/2026 07:25:33.120 +0000] 200 404 100%",
        &[
            (Field::Time, "22/Nov/2026 07:25:33.120 +0000"),
            (Field::Status, "404"),
        ],
    );
    check(
        &with("%{usec}t %>s"),
        "1795332333042999 200",
        &[(Field::Time, "1795332333042999")],
    );
    check(
        &with("%v %t %>s"),
        "a.example [22/Nov/2026:07:25:33 +0000] 200",
        &[
            (Field::ServerName, "a.example"),
            (Field::Time, "22/Nov/2026:07:25:33 +0000"),
        ],
    );
}

#[test]
fn envoy_strings() {
    let custom = r#"%START_TIME(%s.%3f)% %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% ua="%REQ(USER-AGENT)%" %REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH):64% %RESPONSE_CODE% %RESPONSE_FLAGS_LONG% "%RESPONSE_CODE_DETAILS%" %DURATION%ms n=%UPSTREAM_REQUEST_ATTEMPT_COUNT% up="%UPSTREAM_HOST%" svc=%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% %DYNAMIC_METADATA(a.b:c)% 100%%\n"#;
    // An agent that writes the rest of a line does not change it.
    for agent in [
        "curl/8",
        r#"x" GET /forged 200 - "via_upstream" 1ms n=1 up="-" svc=1 - 100%"#,
    ] {
        let line = format!(
            r#"1795332333.250 192.0.2.7 ua="{agent}" GET /a 503 UpstreamConnectionFailure "upstream_reset" 12ms n=2 up="10.0.0.7:80" svc=- {{"d":1}} 100%"#
        );
        check(
            &with(custom),
            &line,
            &[
                (Field::Time, "1795332333.250"),
                (Field::ClientAddr, "192.0.2.7"),
                (Field::UserAgent, agent),
                (Field::Target, "/a"),
                (Field::Status, "503"),
                (Field::ResponseFlags, "UpstreamConnectionFailure"),
                (Field::ResponseCodeDetails, "upstream_reset"),
                (Field::DurationMillis, "12"),
                (Field::AttemptCount, "2"),
                (Field::UpstreamAddr, "10.0.0.7:80"),
                (Field::ResponseMillis, "-"),
            ],
        );
    }
    // Keys of the user's own choosing.
    let json = r#"{"when":"%START_TIME(%Y-%m-%dT%H:%M:%S.%6f%z)%","c":"%RESPONSE_CODE%","f":"%RESPONSE_FLAGS%","m":"%REQ(:METHOD)%","p":"%REQ(:PATH)%","a":"%REQ(USER-AGENT)%"}"#;
    let formats = with(json);
    let line = r#"{"a":"x \"y\"","c":503,"f":"UF","m":"GET","p":"/a","when":"2026-11-24T13:30:00.279000+0000"}"#;
    check(
        &formats,
        line,
        &[
            (Field::Status, "503"),
            (Field::ResponseFlags, "UF"),
            (Field::UserAgent, "x \"y\""),
            (Field::Target, "/a"),
        ],
    );
    assert_eq!(
        recognise(&formats, line.as_bytes()).unwrap().edge,
        Edge::Envoy
    );
}

#[test]
fn a_connection_of_envoys_is_no_request() {
    for none in ["null", "\"-\""] {
        let line = format!(
            r#"{{"method":{none},"path":{none},"protocol":{none},"response_code":0,"response_flags":"UF","start_time":"2026-11-24T13:30:00.279Z"}}"#
        );
        assert!(recognise(&built_in(), line.as_bytes()).is_err(), "{line}");
    }
    // What is no HTTP is answered, and so a request.
    let line = r#"{"method":"-","path":"-","protocol":"HTTP/1.1","response_code":400,"response_flags":"DPE","start_time":"2026-11-24T13:30:00.279Z"}"#;
    assert!(recognise(&built_in(), line.as_bytes()).is_ok());
}

#[test]
fn envoys_json_under_the_keys_of_what_is_built_on_it() {
    let bot = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
    let contour = format!(
        r#"{{"@timestamp":"2026-11-24T13:30:00.279Z","authority":"shop.example","bytes_received":0,"bytes_sent":121,"downstream_remote_address":"192.0.2.7:4711","duration":3,"grpc_status":null,"method":"GET","path":"/a?b=1","protocol":"HTTP/2","response_code":503,"response_flags":"URX,UF","upstream_host":null,"upstream_service_time":null,"user_agent":"{bot}","x_forwarded_for":"192.0.2.7"}}"#
    );
    let gateway = format!(
        r#"{{"start_time":"2026-11-24T13:30:00.279Z","method":"GET","x-envoy-origin-path":"/a?b=1","protocol":"HTTP/2","response_code":"503","response_flags":"URX,UF","response_code_details":"-","upstream_transport_failure_reason":"-","bytes_sent":"121","duration":"3","x-envoy-upstream-service-time":"-","x-forwarded-for":"192.0.2.7","user-agent":"{bot}",":authority":"shop.example","upstream_host":"-","downstream_remote_address":"192.0.2.7:4711"}}"#
    );
    for line in [contour, gateway] {
        check(
            &built_in(),
            &line,
            &[
                (Field::Time, "2026-11-24T13:30:00.279Z"),
                (Field::Status, "503"),
                (Field::ResponseFlags, "URX,UF"),
                (Field::Target, "/a?b=1"),
                (Field::Host, "shop.example"),
                (Field::UserAgent, bot),
                (Field::DurationMillis, "3"),
            ],
        );
        let found = recognise(&built_in(), line.as_bytes()).unwrap();
        assert_eq!(
            (found.name.as_str(), found.edge),
            ("envoy-json", Edge::Envoy)
        );
        // Null is an answer: no upstream was asked.
        let upstream = found.fields.get(Field::UpstreamAddr).unwrap();
        assert!(matches!(upstream, "" | "-"));
    }
}

#[test]
fn json_strings_name_their_keys() {
    check(
        &with(
            r#"{"t":"$time_iso8601","s":$status,"r":"$request_method $request_uri $server_protocol","d":"$request_time","k":{"u":"$upstream_status"}}"#,
        ),
        r#"{"t":"2026-11-22T07:25:33Z","s":009,"r":"GET /a HTTP/1.1","d":"0.1","k":{"u":"502, 200"}}"#,
        &[
            (Field::Status, "009"),
            (Field::Request, "GET /a HTTP/1.1"),
            (Field::Duration, "0.1"),
            (Field::UpstreamStatus, "502, 200"),
        ],
    );
    check(
        &with(
            r#"{ \"when\":\"%{%Y-%m-%dT%T}t.%{msec_frac}t%{%z}t\", \"code\":%>s, \"took\":%D, \"at\":\"%t\" }"#,
        ),
        r#"{ "when":"2026-11-22T07:25:33.042+0000", "code":502, "took":12, "at":"[22/Nov/2026:07:25:33 +0000]" }"#,
        &[
            (Field::Time, "2026-11-22T07:25:33.042+0000"),
            (Field::Status, "502"),
            (Field::DurationMicros, "12"),
        ],
    );
    // The letter of UTC is text behind the last part.
    check(
        &with(
            r#"{"time":"%{%Y-%m-%d}tT%{%T}t.%{msec_frac}tZ","status":"%>s","request":"%U","query":"%q"}"#,
        ),
        r#"{"time":"2026-11-22T07:25:33.042Z","status":"502","request":"/a","query":"?b=1"}"#,
        &[
            (Field::Time, "2026-11-22T07:25:33.042Z"),
            (Field::Status, "502"),
            (Field::Target, "/a"),
            (Field::Query, "?b=1"),
        ],
    );
}

#[test]
fn errors_in_strings_have_a_place_and_a_reason() {
    for (text, at, reason) in [
        (
            "$status [$time_local] $",
            22,
            "`$` without the name of a variable",
        ),
        ("$status ${time_local", 8, "`${` without `}`"),
        ("%>s %t %{Referer", 7, "`%{` without `}`"),
        ("%>s %t %", 7, "`%` without the letter of a directive"),
        (
            "log_format main '$status $time_local';",
            0,
            "a whole directive: only its format string is wanted, without the quotes",
        ),
        ("%t %r", 0, "the layout has no status"),
        (
            "%>s %{%H:%M}t",
            0,
            "the layout's time has a format that cannot be read",
        ),
        (
            "hello",
            0,
            "neither an nginx variable (`$status`) nor an Apache directive (`%>s`)",
        ),
        (
            r#"{"a":"$status","b":"$time_local""#,
            0,
            "the format string begins like JSON but is none",
        ),
    ] {
        let error = Layout::parse_string("mine", text).unwrap_err();
        assert_eq!((error.at, error.reason), (at, reason), "{text}");
    }
    let (_, warnings) = Layout::parse_string("mine", "$status $foo $time_local").unwrap();
    assert_eq!((warnings[0].at, warnings[0].name.as_str()), (8, "$foo"));
}

#[test]
fn nicknames_are_the_shipped_strings() {
    let line = r#"a.example:443 192.0.2.7 - - [22/Nov/2026:07:25:33 +0000] "GET / HTTP/1.1" 502 157 "-" "x""#;
    let found = recognise(&with("vhost_combined"), line.as_bytes()).unwrap();
    assert_eq!(found.name, "mine");
    assert_eq!(found.fields.get(Field::ServerName), Some("a.example"));
}

#[test]
fn the_users_layout_with_more_pieces_goes_first() {
    let short = Layout::parse_string("short", "$remote_addr [$time_local] $status $request")
        .unwrap()
        .0;
    let long = Layout::parse_string(
        "long",
        "$remote_addr [$time_local] $status $request_time $request",
    )
    .unwrap()
    .0;
    let line = b"192.0.2.7 [22/Nov/2026:07:25:33 +0000] 200 0.001 GET / HTTP/1.1";
    for layouts in [vec![short.clone(), long.clone()], vec![long, short]] {
        assert_eq!(
            recognise(&Formats::new(layouts), line).unwrap().name,
            "long"
        );
    }
}

/// nginx's own combined with two values behind it: read by the NCSA parser where the line allows.
#[test]
fn a_users_layout_that_is_combined_and_more() {
    const COMBINED: &str = r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent""#;
    let formats = with(&format!(
        r#"{COMBINED} "$http_x_forwarded_for" $bytes_sent $msec $request_time"#
    ));
    let line = r#"192.0.2.7 - joe [22/Nov/2026:07:25:33 +0000] "GET / HTTP/1.1" 502 157 "-" "x" "a b" 300 1795332333.042 0.001"#;
    let fields = [
        (Field::ClientAddr, "192.0.2.7"),
        (Field::RemoteUser, "joe"),
        (Field::Time, "22/Nov/2026:07:25:33 +0000"),
        (Field::BytesSent, "157"),
        (Field::UserAgent, "x"),
        (Field::ForwardedFor, "a b"),
        (Field::Duration, "0.001"),
    ];
    check(&formats, line, &fields);
    assert_eq!(recognise(&formats, line.as_bytes()).unwrap().name, "mine");
    // A raw quote that only the whole layout can place.
    let quotes = line.replace(r#""x""#, r#""x" "y""#);
    check(
        &formats,
        &quotes,
        &[(Field::UserAgent, "x"), (Field::ForwardedFor, r#"y" "a b"#)],
    );
    let plain = &line[..line.len() - r#" "a b" 300 1795332333.042 0.001"#.len()];
    assert_eq!(
        recognise(&formats, plain.as_bytes()).unwrap().name,
        "combined"
    );
    assert_eq!(
        recognise(&with(COMBINED), plain.as_bytes()).unwrap().name,
        "mine"
    );
    let other = plain.replace(r#"+0000] "#, r#"+0000] a.example "#);
    assert_eq!(
        recognise(&with(COMBINED), other.as_bytes()).unwrap().name,
        "vhost-combined"
    );
}

#[test]
fn a_line_made_to_be_ambiguous_does_not_stop_the_reading() {
    let formats = with("$a,$b,$c,$d,$e,$f,$g,$h [$time_local] $status");
    let line = ",".repeat(10_000) + " [22/Nov/2026:07:25:33 +0000] x";
    assert!(recognise(&formats, line.as_bytes()).is_err());
}

/// Text that a quoted value may hold as an edge prints it.
fn quoted() -> impl Strategy<Value = String> {
    r#"([ !#-\[\]-~]|\\"|\\\\|\\x22|é){0,40}"#
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(line in proptest::collection::vec(any::<u8>(), 0..300)) {
        let formats = with(r#"$remote_addr [$time_local] "$request" $status $upstream_addr"#);
        let _ = recognise(&formats, &line);
        let _ = parse_time(&line);
    }

    #[test]
    fn damaged_lines_never_panic(
        which in any::<proptest::sample::Index>(),
        at in any::<proptest::sample::Index>(),
        bytes in proptest::collection::vec(any::<u8>(), 0..4),
        cut in any::<bool>(),
    ) {
        let samples: Vec<&str> = knowledge::formats().iter().flat_map(|format| format.samples).copied()
            .chain([
                r#"{"time_local":"22/Nov/2026:07:25:33 +0000","request":"GET /a HTTP/1.1","status":502,"a":{"b":["c"]}}"#,
                r#"{"log":"192.0.2.7 - - [22/Nov/2026:07:25:33 +0000] \"GET /\ud83d\ude00 HTTP/1.1\" 502 1\n","stream":"stdout"}"#,
            ])
            .collect();
        let mut line = samples[which.index(samples.len())].as_bytes().to_vec();
        let at = at.index(line.len());
        let end = if cut { line.len() } else { (at + bytes.len()).min(line.len()) };
        line.splice(at..end, bytes);
        let _ = recognise(&built_in(), &line);
    }

    #[test]
    fn arbitrary_strings_never_panic(text in r#"([${}%a-z_>" \\^,0-9é]|\$status|\$time_local|%t|%>s|\{"a":){0,30}"#) {
        if let Ok((layout, _)) = Layout::parse_string("mine", &text) {
            let _ = recognise(&Formats::new(vec![layout]), text.as_bytes());
        }
    }

    #[test]
    fn combined_gives_back_what_was_printed(
        user in "[a-z][a-z ]{0,10}[a-z]",
        request in quoted(),
        status in "[0-5][0-9]{2}",
        bytes in "[0-9]{1,9}",
        referer in quoted(),
        agent in quoted(),
    ) {
        // A request that itself holds `" 200 ` cannot be told from its end; escaped quotes cannot do that.
        let line = format!(
            r#"192.0.2.7 - {user} [22/Nov/2026:07:25:33 +0000] "{request}" {status} {bytes} "{referer}" "{agent}""#
        );
        let found = recognise(&built_in(), line.as_bytes()).unwrap();
        prop_assert_eq!(found.name, "combined");
        prop_assert_eq!(found.fields.get(Field::RemoteUser), Some(user.as_str()));
        prop_assert_eq!(found.fields.get(Field::Request), Some(request.as_str()));
        prop_assert_eq!(found.fields.get(Field::Status), Some(status.as_str()));
        prop_assert_eq!(found.fields.get(Field::BytesSent), Some(bytes.as_str()));
        prop_assert_eq!(found.fields.get(Field::Referer), Some(referer.as_str()));
        prop_assert_eq!(found.fields.get(Field::UserAgent), Some(agent.as_str()));
    }

    #[test]
    fn a_layout_gives_back_what_it_printed(
        order in Just(vec![0_usize, 1, 2, 3, 4, 5]).prop_shuffle(),
        agent in quoted(),
        status in 100_u16..600,
        attempts in proptest::collection::vec("(10\\.0\\.0\\.[1-9]:80|unix:/run/a\\.sock|-)", 1..4),
        host in "[a-z]{1,8}\\.example",
        took in 0_u32..9_999,
    ) {
        let addrs = attempts.join(", ");
        let status = status.to_string();
        let took = format!("0.{took:04}");
        let values = [
            (r#""$http_user_agent""#, Field::UserAgent, agent.as_str()),
            ("$status", Field::Status, status.as_str()),
            ("[$time_local]", Field::Time, "22/Nov/2026:07:25:33 +0000"),
            ("$upstream_addr", Field::UpstreamAddr, addrs.as_str()),
            ("$host", Field::Host, host.as_str()),
            ("$request_time", Field::Duration, took.as_str()),
        ];
        let text: Vec<&str> = order.iter().map(|index| values[*index].0).collect();
        let printed: Vec<String> = order.iter().map(|index| {
            let (variable, _, value) = values[*index];
            match variable.as_bytes()[0] {
                b'"' => format!("\"{value}\""),
                b'[' => format!("[{value}]"),
                _ => value.to_owned(),
            }
        }).collect();
        let found = recognise(&with(&text.join(" ")), printed.join(" ").as_bytes()).unwrap();
        for (_, field, value) in values {
            prop_assert_eq!(found.fields.get(field), Some(value));
        }
    }
}

/// Folder of the logs that other people wrote; they are not part of the repository.
fn shared() -> Option<PathBuf> {
    let root = match std::env::var_os("WEBMASTERID_SHARED") {
        Some(root) => PathBuf::from(root),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
    };
    let real = root.join("real");
    if !real.is_dir() {
        eprintln!("skipped: shared material absent");
        return None;
    }
    Some(real)
}

fn read(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).unwrap();
    if path.extension().is_none_or(|ending| ending != "gz") {
        return bytes;
    }
    let mut text = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes.as_slice())
        .read_to_end(&mut text)
        .unwrap();
    text
}

/// Requests by status, and the number of other lines.
fn count(path: &Path) -> (BTreeMap<String, u64>, u64) {
    let formats = built_in();
    let mut statuses = BTreeMap::new();
    let mut others = 0;
    let text = read(path);
    for line in text
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        let Ok(found) = recognise(&formats, line) else {
            others += 1;
            continue;
        };
        let time = found.fields.get(Field::Time).unwrap();
        assert!(parse_time(time.as_bytes()).is_some(), "{}", path.display());
        *statuses
            .entry(found.fields.get(Field::Status).unwrap().to_owned())
            .or_default() += 1;
    }
    (statuses, others)
}

fn wanted(expected: &serde_json::Value) -> BTreeMap<String, u64> {
    let statuses = expected["status"].as_object().unwrap();
    statuses
        .iter()
        .map(|(status, count)| (status.clone(), count.as_u64().unwrap()))
        .collect()
}

#[test]
fn ten_thousand_lines_of_apache_combined() {
    let Some(real) = shared() else { return };
    let folder = real.join("semicomplete-apache");
    let expected: serde_json::Value =
        serde_json::from_slice(&read(&folder.join("expected.json"))).unwrap();
    let access = &expected["access"];
    let (statuses, others) = count(&folder.join("apache_logs.gz"));
    assert_eq!(statuses, wanted(access));
    assert_eq!(others, access["unparsable_lines"].as_u64().unwrap());
}

#[test]
fn other_peoples_fields_stand_where_they_should() {
    let Some(real) = shared() else { return };
    let zoo = real.join("zoo");
    let formats = built_in();
    for (file, name, edge, must) in [
        (
            "ingress-nginx.log",
            "ingress-nginx",
            Edge::Nginx,
            &[Field::UpstreamAddr, Field::UpstreamStatus][..],
        ),
        (
            "nginx-combined-xff.log",
            "combined-extended",
            Edge::Unknown,
            &[Field::ForwardedFor, Field::UserAgent],
        ),
        (
            "apache-combined.log",
            "combined",
            Edge::Unknown,
            &[Field::UserAgent],
        ),
        (
            "nginx-json.log",
            "json",
            Edge::Unknown,
            &[Field::UserAgent, Field::Host, Field::Target],
        ),
        (
            "nginx-vhost-prefix.log",
            "vhost-combined",
            Edge::Unknown,
            &[Field::Host, Field::UserAgent],
        ),
    ] {
        for line in read(&zoo.join(file))
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            let found = recognise(&formats, line).unwrap();
            assert_eq!((found.name.as_str(), found.edge), (name, edge), "{file}");
            for field in must {
                assert!(
                    found.fields.get(*field).is_some(),
                    "{file}: {}",
                    field.name()
                );
            }
        }
    }
}
