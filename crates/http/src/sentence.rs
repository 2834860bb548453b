//! What is wrong with a field, in the sentences of the framework whose users most of the vendors' users are.

use service::Why;

use crate::words;

/// "The package id field is required."
pub fn about(field: &str, why: &Why) -> String {
    let field = spoken(field);
    match why {
        Why::Required => format!("The {field} field is required."),
        Why::TooShort { min } => format!("The {field} must be at least {min} characters."),
        Why::TooLong { max } => format!("The {field} must not be greater than {max} characters."),
        Why::TooSmall { min } => format!("The {field} must be at least {min}."),
        Why::TooLarge { max } => format!("The {field} must not be greater than {max}."),
        Why::NotPositive => format!("The {field} must be greater than 0."),
        Why::TooMuch => format!("The {field} must be a smaller amount."),
        Why::NotANumber => format!("The {field} must be a number."),
        Why::NotAnInteger => format!("The {field} must be an integer."),
        Why::NotText => format!("The {field} must be a string."),
        Why::NotBoolean => format!("The {field} field must be true or false."),
        Why::NotAList => format!("The {field} must be an array."),
        Why::NotADate => format!("The {field} is not a valid date."),
        Why::OutsideCalendar => format!("The {field} must be a date from 1970-01-01 to 2100-12-31."),
        Why::TooManyDecimals => format!("The {field} has too many decimals."),
        Why::DigitsOnly => format!("The {field} must contain only digits."),
        Why::NotOneOf(_) | Why::Unknown => format!("The selected {field} is invalid."),
        Why::Taken => format!("The {field} has already been taken."),
        Why::Not(form) => format!("The {field} must be {}.", words::expected(*form)),
    }
}

/// `per_page` as "per page", `clientsCount` as "clients count".
fn spoken(field: &str) -> String {
    let mut told = String::new();
    for c in field.chars() {
        match c {
            '_' => told.push(' '),
            c if c.is_ascii_uppercase() => told.extend([' ', c.to_ascii_lowercase()]),
            c => told.push(c),
        }
    }
    told
}
