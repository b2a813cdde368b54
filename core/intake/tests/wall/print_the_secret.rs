//! The secret of the run is never printed.

use intake::Secret;

fn print(secret: &Secret) -> String {
    format!("{secret:?}")
}

fn read(secret: &Secret) -> [u8; 16] {
    secret.key
}

fn hash(secret: &Secret, address: &[u8]) -> u64 {
    secret.hash(address)
}

fn main() {}
