//! Whose address is asked about can be neither printed nor kept.

use intake::{Answers, Suspect, Suspects};

fn print(suspects: &Suspects) -> String {
    format!("{suspects:?}")
}

fn print_one(suspect: &Suspect<'_>) -> String {
    format!("{suspect:?}")
}

fn print_answers(answers: &Answers) -> String {
    format!("{answers:?}")
}

fn keep<'a>(suspect: &Suspect<'a>) -> Suspect<'a> {
    suspect.clone()
}

fn main() {}
