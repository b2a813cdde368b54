//! What is known of the products: how to log a field, how long their own error pages are, what their logs cannot show.

use model::{Cause, Edge, Field};

use crate::table::EDGES;

/// One product.
#[derive(Clone, Copy, Debug)]
pub struct EdgeFacts {
    /// The product.
    pub edge: Edge,
    /// Whether its access log is stamped with the start of the request; else with its end.
    pub stamps_start: bool,
    /// Fields that tell causes apart, the most telling first: what "unknown" asks for.
    pub telling: &'static [Field],
    /// Causes that its error log always has an entry for: where it is at hand and silent, it was none of them.
    pub error_log_tells: &'static [Cause],
    /// Whether the bytes in its logs are header and body together.
    pub counts_headers: bool,
    /// What its access-log format is set with.
    pub directive: &'static str,
    /// What to add to the log format for each field, by the field's name.
    pub log_lines: &'static [(Field, &'static str)],
    /// The layout to log in, where one is known.
    pub recommended: Option<Recommended>,
    /// Its own error page, where its size follows a rule.
    pub default_page: Option<DefaultPage>,
    /// What its logs cannot show.
    pub blind_spots: &'static [BlindSpot],
    /// Primary source.
    pub source: &'static str,
    /// When the source was checked; `None` prints "Data not yet verified".
    pub checked: Option<&'static str>,
}

/// The smallest layout that tells causes apart and holds no more of a visitor than that takes.
#[derive(Clone, Copy, Debug)]
pub struct Recommended {
    /// Name of the layout among [`crate::formats`]; empty where the product's own is meant.
    pub format: &'static str,
    /// Lines of configuration, ready to paste.
    pub configuration: &'static str,
    /// What to know before; may be empty.
    pub note: &'static str,
    /// Where the configuration language is documented.
    pub source: &'static str,
}

/// A product's own error page: its size is frame + twice the title + the server's name.
#[derive(Clone, Copy, Debug)]
pub struct DefaultPage {
    /// Bytes of the page without title and server name, in each version that differs.
    pub frames: &'static [u64],
    /// Bytes added when the user agent contains `Chrome/`.
    pub chrome_padding: u64,
    /// Names the server gives itself; only their lengths matter.
    pub server_tokens: &'static [&'static str],
    /// Title by status.
    pub titles: &'static [(u16, &'static str)],
}

/// Something a log cannot show, and for which logs that is so.
#[derive(Clone, Copy, Debug)]
pub struct BlindSpot {
    /// In a sentence.
    pub says: &'static str,
    /// It holds where the layout carries none of these.
    pub absent: &'static [Field],
    /// It holds only where no error log was read.
    pub without_error_log: bool,
}

/// What is known of `edge`.
pub fn edge(edge: Edge) -> &'static EdgeFacts {
    // The build sorts the table by the order of the enum and refuses one that lacks an edge.
    &EDGES[edge as usize]
}

impl EdgeFacts {
    /// What to add to the log format so that it carries `field`.
    pub fn log_line(&self, field: Field) -> Option<&'static str> {
        self.log_lines
            .iter()
            .find(|(known, _)| *known == field)
            .map(|(_, line)| *line)
    }

    /// Every size in bytes that the product's own page for `status` can have.
    pub fn default_page_sizes(&self, status: u16, chrome: bool) -> impl Iterator<Item = u64> {
        let page = self.default_page.as_ref();
        let title = page.and_then(|page| page.titles.iter().find(|(known, _)| *known == status));
        page.zip(title)
            .into_iter()
            .flat_map(move |(page, (_, title))| {
                let padding = if chrome { page.chrome_padding } else { 0 };
                let named = 2 * title.len() as u64 + padding;
                page.frames.iter().flat_map(move |frame| {
                    let tokens = page.server_tokens.iter();
                    tokens.map(move |token| frame + named + token.len() as u64)
                })
            })
    }

    /// Whether a body of `size` bytes is as long as the product's own page for `status`.
    pub fn is_default_page(&self, status: u16, size: u64, chrome: bool) -> bool {
        self.default_page_sizes(status, chrome)
            .any(|known| known == size)
    }

    /// Whether the size of the product's own page for `status` is known at all. Where it is not, a body that is no
    /// default page says nothing.
    pub fn knows_default_page(&self, status: u16) -> bool {
        self.default_page_sizes(status, false).next().is_some()
    }

    /// What a log with these fields cannot show.
    pub fn blind_spots_of(
        &self,
        carries: impl Fn(Field) -> bool,
        error_log: bool,
    ) -> impl Iterator<Item = &'static str> {
        self.blind_spots
            .iter()
            .filter(move |spot| !(error_log && spot.without_error_log))
            .filter(move |spot| !spot.absent.iter().any(|field| carries(*field)))
            .map(|spot| spot.says)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nginx_pages_have_the_measured_sizes() {
        let nginx = edge(Edge::Nginx);
        for (status, plain) in [(502, 157), (504, 167), (503, 197)] {
            assert!(nginx.is_default_page(status, plain, false), "{status}");
            assert!(nginx.is_default_page(status, plain + 402, true), "{status}");
            assert!(!nginx.is_default_page(status, plain, true), "{status}");
        }
        // server_tokens off; a page with background colour; Ubuntu's server name.
        for size in [150, 173, 166, 182] {
            assert!(nginx.is_default_page(502, size, false), "{size}");
        }
        for size in [0, 15, 155, 1_024] {
            assert!(!nginx.is_default_page(502, size, false), "{size}");
        }
    }

    #[test]
    fn unknown_products_know_the_page_of_nginx_and_apache_knows_none() {
        assert!(edge(Edge::Unknown).is_default_page(502, 157, false));
        assert!(!edge(Edge::Apache).knows_default_page(502));
        assert!(!edge(Edge::Nginx).knows_default_page(404));
    }

    #[test]
    fn each_edge_stands_in_its_place() {
        for known in Edge::ALL {
            assert_eq!(edge(known).edge, known);
        }
    }

    #[test]
    fn fields_that_settle_a_sign_can_be_logged() {
        for sign in crate::signs() {
            let Some(field) = sign.settled_by else {
                continue;
            };
            let line = edge(sign.edge).log_line(field);
            assert!(
                line.is_some() || sign.edge == Edge::Unknown,
                "{}",
                sign.name
            );
        }
    }

    #[test]
    fn blind_spots_depend_on_layout_and_error_log() {
        let nginx = edge(Edge::Nginx);
        let combined = nginx.blind_spots_of(|_| false, false).count();
        let with_error_log = nginx.blind_spots_of(|_| false, true).count();
        let full = nginx.blind_spots_of(|_| true, false).count();
        assert_eq!(combined, nginx.blind_spots.len());
        assert!((1..combined).contains(&with_error_log));
        assert_eq!(full, 0);
    }
}
