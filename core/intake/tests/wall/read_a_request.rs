//! A request has no field for what names a person.

use model::Request;

fn address<'a>(request: &Request<'a>) -> &'a str {
    request.address
}

fn agent<'a>(request: &Request<'a>) -> &'a str {
    request.agent
}

fn referrer<'a>(request: &Request<'a>) -> &'a str {
    request.referrer
}

fn cookie<'a>(request: &Request<'a>) -> &'a str {
    request.cookie
}

fn path_of_a_person<'a>(request: &Request<'a>) -> &'a str {
    request.path
}

fn main() {}
