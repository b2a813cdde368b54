//! Of a crawler's query only a hash is left, of a person's not even that.

use model::{Fetch, Request};

fn of_a_fetch<'a>(fetch: &Fetch<'a>) -> &'a str {
    fetch.query
}

fn of_a_request<'a>(request: &Request<'a>) -> &'a str {
    request.query
}

fn main() {}
