//! Envoy as a site runs it that takes its habits from meshes: their retries, a limit per try, two clusters with names of
//! a mesh, none of Envoy's own header fields, faults injected for maintenance.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};

use super::super::origin::{Address, DELAY_HEADER};
use super::super::proxy::{Layout, Member, Proxy, Rule, Setup, Site, Upstream};
use super::super::traffic::Ask;

/// Envoy, set up otherwise than in the first lab.
pub(super) struct Envoy;

/// `default` is what Envoy writes without any format, `gateway` the one of Envoy Gateway; `nested`, which comes first
/// because the recorder reads it, `kv` and `combined` are what sites make up.
const LAYOUTS: [Layout; 5] = [
    Layout {
        name: "nested",
        format: r#"{"time":"%START_TIME(%s.%3f)%","http":{"method":"%REQ(:METHOD)%","host":"%REQ(:AUTHORITY)%","url":"%REQ(:PATH)%","protocol":"%PROTOCOL%","status":"%RESPONSE_CODE%","flags":"%RESPONSE_FLAGS_LONG%","detail":"%RESPONSE_CODE_DETAILS%"},"client":{"ip":"%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%","agent":"%REQ(USER-AGENT)%"},"upstream":{"cluster":"%UPSTREAM_CLUSTER%","host":"%UPSTREAM_HOST%","failure":"%UPSTREAM_TRANSPORT_FAILURE_REASON%","attempts":"%UPSTREAM_REQUEST_ATTEMPT_COUNT%"},"bytes":"%BYTES_SENT%","ms":{"total":"%DURATION%","first_byte":"%RESPONSE_DURATION%"}}"#,
    },
    Layout {
        name: "default",
        format: r#"[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%""#,
    },
    Layout {
        name: "gateway",
        format: r#"{"start_time":"%START_TIME%","method":"%REQ(:METHOD)%","x-envoy-origin-path":"%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%","protocol":"%PROTOCOL%","response_code":"%RESPONSE_CODE%","response_flags":"%RESPONSE_FLAGS%","response_code_details":"%RESPONSE_CODE_DETAILS%","connection_termination_details":"%CONNECTION_TERMINATION_DETAILS%","upstream_transport_failure_reason":"%UPSTREAM_TRANSPORT_FAILURE_REASON%","bytes_received":"%BYTES_RECEIVED%","bytes_sent":"%BYTES_SENT%","duration":"%DURATION%","x-envoy-upstream-service-time":"%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%","x-forwarded-for":"%REQ(X-FORWARDED-FOR)%","user-agent":"%REQ(USER-AGENT)%","x-request-id":"%REQ(X-REQUEST-ID)%",":authority":"%REQ(:AUTHORITY)%","upstream_host":"%UPSTREAM_HOST%","upstream_cluster":"%UPSTREAM_CLUSTER%","upstream_local_address":"%UPSTREAM_LOCAL_ADDRESS%","downstream_local_address":"%DOWNSTREAM_LOCAL_ADDRESS%","downstream_remote_address":"%DOWNSTREAM_REMOTE_ADDRESS%","requested_server_name":"%REQUESTED_SERVER_NAME%","route_name":"%ROUTE_NAME%"}"#,
    },
    Layout {
        name: "kv",
        format: r#"%START_TIME(%Y-%m-%d %H:%M:%S.%3f)% ip=%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% req="%REQ(:METHOD)% %REQ(:PATH)% %PROTOCOL%" code=%RESPONSE_CODE% flags=%RESPONSE_FLAGS% details=%RESPONSE_CODE_DETAILS% route=%ROUTE_NAME% cluster=%UPSTREAM_CLUSTER% host=%UPSTREAM_HOST% why="%UPSTREAM_TRANSPORT_FAILURE_REASON%" dur=%DURATION% sent=%BYTES_SENT% ua="%REQ(USER-AGENT)%""#,
    },
    Layout {
        name: "combined",
        format: r#"%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% - - [%START_TIME(%d/%b/%Y:%H:%M:%S %z)%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %BYTES_SENT% "%REQ(REFERER)%" "%REQ(USER-AGENT)%" %RESPONSE_FLAGS% %UPSTREAM_CLUSTER% %DURATION%"#,
    },
];

const HCM: &str = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const FILE_LOG: &str = "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog";
const ROUTER: &str = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";
const FAULT: &str = "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault";
const RATE_LIMIT: &str =
    "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit";
const DYNAMIC: &str =
    "type.googleapis.com/envoy.extensions.filters.http.dynamic_forward_proxy.v3.FilterConfig";
const DYNAMIC_ROUTE: &str =
    "type.googleapis.com/envoy.extensions.filters.http.dynamic_forward_proxy.v3.PerRouteConfig";
const DYNAMIC_CLUSTER: &str =
    "type.googleapis.com/envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig";
const RESOLVER: &str =
    "type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig";
const HTTP_OPTIONS: &str =
    "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
const TLS: &str =
    "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext";
const PREVIOUS_HOSTS: &str =
    "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate";

/// Where pages come from.
const APP: &str = "outbound|8080||app.shop.svc.cluster.local";
/// Where static files come from.
const ASSETS: &str = "outbound|8080||assets.shop.svc.cluster.local";

impl Proxy for Envoy {
    behaves_like!((crate::lab::envoy::Envoy) => version, timers_follow_clock, stamps_follow_clock, started_says, errors_name_requests, logs_unanswered_as);

    fn name(&self) -> &'static str {
        "envoy-other"
    }

    fn edge(&self) -> &'static str {
        "envoy"
    }

    fn layouts(&self) -> &'static [Layout] {
        &LAYOUTS
    }

    fn can(&self, setup: &Setup) -> bool {
        setup.rule != Rule::RewriteLoop
            && !matches!(
                setup.upstream,
                Upstream::BadTarget
                    | Upstream::FastCgi
                    | Upstream::Protocol("uwsgi" | "scgi" | "ajp")
            )
    }

    fn prepare(&self, site: &Site<'_>) -> Result<Command> {
        let path = site.dir.join("envoy.json");
        std::fs::write(&path, config(site).to_string()).context("cannot write envoy.json")?;
        std::fs::write(site.dir.join("error.log"), "")?;
        let mut command = Command::new("envoy");
        command
            .arg("-c")
            .arg(path)
            .arg("--log-path")
            .arg(site.dir.join("error.log"))
            .args(["-l", "info", "--concurrency", "1", "--disable-hot-restart"])
            .args(["--file-flush-interval-msec", "5"]);
        Ok(command)
    }

    fn echo_says(&self) -> &'static str {
        "\"NoHealthyUpstream\""
    }

    fn logged_status(&self, line: &[u8], ask: &Ask) -> Result<u16> {
        let entry: Value = serde_json::from_slice(line).context("an access line is no JSON")?;
        anyhow::ensure!(
            entry["http"]["url"] == ask.target && entry["http"]["method"] == ask.method,
            "the last access line is not {} {}",
            ask.method,
            ask.target
        );
        let status = entry["http"]["status"].as_u64();
        u16::try_from(status.context("an access line without a status")?).context("no status")
    }

    fn tells_retry(&self, line: &[u8]) -> bool {
        let entry: Value = serde_json::from_slice(line).unwrap_or_default();
        entry["upstream"]["attempts"]
            .as_u64()
            .is_some_and(|attempts| attempts > 1)
    }
}

fn config(site: &Site<'_>) -> Value {
    json!({
        "static_resources": {
            "listeners": [{
                "name": "ingress_http",
                "address": socket_address(&site.listen.ip().to_string(), site.listen.port()),
                "filter_chains": [{"filters": [{
                    "name": "envoy.filters.network.http_connection_manager",
                    "typed_config": manager(site),
                }]}],
            }],
            "clusters": [cluster(APP, site.setup), cluster(ASSETS, site.setup)],
        },
    })
}

fn socket_address(address: &str, port: u16) -> Value {
    json!({"socket_address": {"address": address, "port_value": port}})
}

fn manager(site: &Site<'_>) -> Value {
    let mut manager = json!({
        "@type": HCM,
        "stat_prefix": "ingress_http",
        // What is before the edge names the client.
        "use_remote_address": false,
        "server_name": "edge",
        "access_log": LAYOUTS.iter().map(|layout| access_log(site, layout)).collect::<Vec<_>>(),
        "http_filters": filters(site.setup),
        "route_config": {
            "name": "ingress",
            "virtual_hosts": [{
                "name": "shop.example:80",
                "domains": ["shop.example", "www.shop.example"],
                "routes": routes(site.setup),
            }],
        },
    });
    if site.setup.rule == Rule::MaskErrors {
        manager["local_reply_config"] = json!({"mappers": [{
            "filter": {"status_code_filter": {"comparison": {"op": "GE", "value": {"default_value": 500, "runtime_key": "own_errors"}}}},
            "status_code": 500,
            "body_format_override": {"json_format": {"error": "internal", "id": "%REQ(X-REQUEST-ID)%"}},
        }]});
    }
    manager
}

fn access_log(site: &Site<'_>, layout: &Layout) -> Value {
    let mut config = json!({
        "@type": FILE_LOG,
        "path": site.dir.join(format!("{}.log", layout.name)),
    });
    if layout.format.starts_with('{') {
        let keys: Map<String, Value> = serde_json::from_str(layout.format).unwrap_or_default();
        config["log_format"] = json!({"json_format": keys});
    } else if layout.name != "default" {
        let line = format!("{}\n", layout.format);
        config["log_format"] = json!({"text_format_source": {"inline_string": line}});
    }
    json!({"name": "envoy.access_loggers.file", "typed_config": config})
}

fn filters(setup: &Setup) -> Vec<Value> {
    let mut filters = Vec::new();
    if setup.rule == Rule::Maintenance {
        let always = json!({"numerator": 100, "denominator": "HUNDRED"});
        filters.push(json!({
            "name": "envoy.filters.http.fault",
            "typed_config": {"@type": FAULT, "abort": {"http_status": 503, "percentage": always}},
        }));
    }
    if matches!(setup.rule, Rule::RateLimit(_)) {
        filters.push(json!({
            "name": "envoy.filters.http.local_ratelimit",
            "typed_config": {"@type": RATE_LIMIT, "stat_prefix": "none"},
        }));
    }
    if setup.upstream == Upstream::UnresolvedName {
        filters.push(json!({
            "name": "envoy.filters.http.dynamic_forward_proxy",
            "typed_config": {"@type": DYNAMIC, "dns_cache_config": dns_cache()},
        }));
    }
    filters.push(json!({
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": ROUTER, "suppress_envoy_headers": true},
    }));
    filters
}

fn dns_cache() -> Value {
    json!({
        "name": "names",
        "dns_lookup_family": "V4_ONLY",
        "typed_dns_resolver_config": {
            "name": "envoy.network.dns_resolver.cares",
            "typed_config": {
                "@type": RESOLVER,
                "resolvers": [socket_address("127.0.0.1", 1)],
                "dns_resolver_options": {"no_default_search_domain": true},
            },
        },
    })
}

fn routes(setup: &Setup) -> Vec<Value> {
    let mut all = vec![
        route("assets", "/static/", ASSETS, setup),
        route("app", "/", APP, setup),
    ];
    if let Rule::RateLimit(status) = setup.rule {
        // Real time is too fast for a limit on everyone: only the client in a hurry is counted.
        let mut hasty = route("app", "/", APP, setup);
        hasty["match"]["headers"] =
            json!([{"name": DELAY_HEADER, "string_match": {"exact": "20"}}]);
        let always = json!({"default_value": {"numerator": 100, "denominator": "HUNDRED"}});
        hasty["typed_per_filter_config"] = json!({"envoy.filters.http.local_ratelimit": {
            "@type": RATE_LIMIT,
            "stat_prefix": "hasty",
            "status": {"code": status},
            "token_bucket": {"max_tokens": 2, "tokens_per_fill": 2, "fill_interval": "0.2s"},
            "filter_enabled": always,
            "filter_enforced": always,
            "response_headers_to_add": [{"header": {"key": "retry-after", "value": "1"}}],
        }});
        all.insert(0, hasty);
    }
    all
}

fn route(name: &str, prefix: &str, cluster: &str, setup: &Setup) -> Value {
    let mut route = json!({
        "name": name,
        "match": {"prefix": prefix},
        "route": {"cluster": cluster, "timeout": limit(setup, 1.0)},
    });
    if setup.retry {
        // As meshes do by default, with a limit for each try.
        route["route"]["retry_policy"] = json!({
            "retry_on": "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes",
            "retriable_status_codes": [503],
            "num_retries": 1,
            "per_try_timeout": limit(setup, 0.8),
            "retry_back_off": {"base_interval": "0.002s"},
            "host_selection_retry_max_attempts": 5,
            "retry_host_predicate": [{
                "name": "envoy.retry_host_predicates.previous_hosts",
                "typed_config": {"@type": PREVIOUS_HOSTS},
            }],
        });
    }
    if setup.upstream == Upstream::UnresolvedName {
        route["typed_per_filter_config"] = json!({"envoy.filters.http.dynamic_forward_proxy": {
            "@type": DYNAMIC_ROUTE,
            "host_rewrite_literal": "app.shop.invalid:8080",
        }});
    }
    route
}

/// A part of the limit. A short one is made shorter, since it runs out in real time; a long one is only there not to be
/// reached before the system itself gives up.
fn limit(setup: &Setup, part: f64) -> String {
    const LONG: Duration = Duration::from_secs(10);
    let limit = if setup.timeout < LONG {
        setup.real_timeout()
    } else {
        setup.timeout
    };
    format!("{:.3}s", limit.as_secs_f64() * part)
}

fn cluster(name: &str, setup: &Setup) -> Value {
    if setup.upstream == Upstream::UnresolvedName {
        return json!({
            "name": name,
            "lb_policy": "CLUSTER_PROVIDED",
            "cluster_type": {
                "name": "envoy.clusters.dynamic_forward_proxy",
                "typed_config": {"@type": DYNAMIC_CLUSTER, "dns_cache_config": dns_cache()},
            },
        });
    }
    let mut common = json!({"idle_timeout": "3600s", "max_response_headers_kb": 10});
    if !setup.keepalive {
        common["max_requests_per_connection"] = json!(1);
    }
    let speaks = if matches!(setup.upstream, Upstream::Protocol(_)) {
        json!({"http2_protocol_options": {}})
    } else {
        json!({"http_protocol_options": {}})
    };
    let mut cluster = json!({
        "name": name,
        "type": "STATIC",
        "connect_timeout": limit(setup, 0.35),
        "lb_policy": "LEAST_REQUEST",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": setup.members.iter().map(endpoint).collect::<Vec<_>>()}],
        },
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": HTTP_OPTIONS,
                "common_http_protocol_options": common,
                "explicit_http_config": speaks,
            },
        },
    });
    if setup.rule == Rule::FewConnections {
        cluster["circuit_breakers"] = json!({"thresholds": [{"max_requests": 3}]});
    }
    if setup.eject {
        cluster["common_lb_config"] =
            json!({"healthy_panic_threshold": {"value": 0}, "update_merge_window": "0s"});
        cluster["outlier_detection"] = json!({
            "consecutive_5xx": 5,
            "split_external_local_origin_errors": true,
            "consecutive_local_origin_failure": 1,
            // In real time: longer than a spell of requests, shorter than the pause behind it.
            "base_ejection_time": "0.08s",
            "max_ejection_time": "0.08s",
            "interval": "0.02s",
            "max_ejection_percent": 100,
        });
    }
    if let Some(socket) = transport(setup) {
        cluster["transport_socket"] = socket;
    }
    // What a recording sets otherwise.
    let own: Map<String, Value> = serde_json::from_str(setup.own.back).unwrap_or_default();
    for (key, value) in own {
        cluster[key] = value;
    }
    cluster
}

fn transport(setup: &Setup) -> Option<Value> {
    let context = match setup.upstream {
        Upstream::Tls => json!({
            "@type": TLS,
            "sni": "shop.example",
            "common_tls_context": {"tls_params": {"tls_maximum_protocol_version": "TLSv1_3"}},
        }),
        Upstream::TlsVerified => json!({
            "@type": TLS,
            "sni": "shop.example",
            "common_tls_context": {
                "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
                "validation_context": {
                    "trusted_ca": {"filename": setup.trusted},
                    "match_typed_subject_alt_names": [
                        {"san_type": "DNS", "matcher": {"exact": "shop.example"}},
                    ],
                },
            },
        }),
        _ => return None,
    };
    Some(json!({"name": "envoy.transport_sockets.tls", "typed_config": context}))
}

fn endpoint(member: &Member) -> Value {
    let address = match &member.address {
        Address::Tcp(address) => socket_address(&address.ip().to_string(), address.port()),
        Address::Unix(path) => json!({"pipe": {"path": path}}),
    };
    let health = if member.down { "UNHEALTHY" } else { "UNKNOWN" };
    json!({"endpoint": {"address": address}, "health_status": health})
}
