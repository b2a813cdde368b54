//! Who a client says it is.

/// Index into the crawler registry of `knowledge`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CrawlerId(pub u16);

/// What is known of a crawler claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identity {
    /// The address belongs to the operator.
    Verified,
    /// The address does not belong to the operator. Not a fetch.
    Spoofed,
    /// The operator publishes no method to check.
    Unverifiable,
    /// Nothing was checked.
    Unchecked,
}

impl Identity {
    /// The name in every output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Spoofed => "spoofed",
            Self::Unverifiable => "unverifiable",
            Self::Unchecked => "unchecked",
        }
    }
}

/// A crawler named by the user agent, and what is known of the claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Claim {
    /// The crawler.
    pub crawler: CrawlerId,
    /// What is known of the claim.
    pub identity: Identity,
}

/// What a crawler crawls for. Headlines count the first two; the others share one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// Feeds a search index.
    Search,
    /// Trains or answers for an AI product.
    Ai,
    /// Fetches because a person asked for it just now.
    UserTriggered,
    /// SEO and marketing tools.
    Seo,
    /// Uptime and synthetic monitors.
    Monitor,
    /// Link previews of messengers and social networks.
    Preview,
    /// Archives, research, feeds, advertising checks, security scans and the rest.
    Other,
}

impl Category {
    /// Every category, in the order of the enum.
    pub const ALL: [Self; 7] = [
        Self::Search,
        Self::Ai,
        Self::UserTriggered,
        Self::Seo,
        Self::Monitor,
        Self::Preview,
        Self::Other,
    ];

    /// The name in every output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Search => "search",
            Self::Ai => "ai",
            Self::UserTriggered => "user-triggered",
            Self::Seo => "seo",
            Self::Monitor => "monitor",
            Self::Preview => "preview",
            Self::Other => "other",
        }
    }

    /// Whether headlines count it.
    pub const fn is_headline(self) -> bool {
        matches!(self, Self::Search | Self::Ai | Self::UserTriggered)
    }
}
