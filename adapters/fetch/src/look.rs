//! One look at a site, as a crawler would see it: HTTP or HTTPS, no redirect followed, any status an answer.

use crate::{BYTES_MAX, Client, FetchError};

/// What a site answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Retry-After as it stands.
    pub retry_after: Option<String>,
    /// Cache-Control as it stands.
    pub cache_control: Option<String>,
    /// Content-Type as it stands.
    pub content_type: Option<String>,
    /// Length of the body.
    pub bytes: usize,
}

impl Client {
    /// Asks for `url` once.
    pub fn look(&self, url: &str) -> Result<Answer, FetchError> {
        let request = self.agent.get(url).config();
        let request = request.https_only(false).http_status_as_error(false);
        let request = request.max_redirects(0).max_redirects_will_error(false);
        let mut response = request.build().call().map_err(|error| self.reason(error))?;
        let header = |name: &str| {
            let value = response.headers().get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let (retry_after, cache_control, content_type) = (
            header("retry-after"),
            header("cache-control"),
            header("content-type"),
        );
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(BYTES_MAX);
        let bytes = body
            .read_to_vec()
            .map_err(|error| self.reason(error))?
            .len();
        Ok(Answer {
            status,
            retry_after,
            cache_control,
            content_type,
            bytes,
        })
    }
}
