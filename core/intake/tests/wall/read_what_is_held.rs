//! What waits for a neighbour goes from scan to settle unread: its keys are hashes of clients.

use intake::Held;

fn client(held: &Held) -> u64 {
    held.requests[0].client
}

fn main() {}
