//! A subscriber's line as its router sees it: who dials, how often, and how much it carries.

use domain::Mac;

use super::chance::Chance;

/// How a device proves its password.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Method {
    Pap,
    Chap,
    #[value(name = "mschapv2")]
    MsChapV2,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Habit {
    /// A router at home: online for hours, back within a minute or two.
    Home,
    /// A phone at a hotspot: online for minutes, then away for a few.
    Visitor,
    /// Like a visitor that mistypes every third password.
    Forgetful,
    /// Has the wrong password and keeps trying.
    Wrong,
}

#[derive(Clone, Debug)]
pub struct Line {
    pub username: String,
    pub password: String,
    pub method: Method,
    pub mac: Mac,
    pub habit: Habit,
    /// 1 is an ordinary use of the line.
    pub appetite: f64,
}

impl Line {
    /// What is typed this time.
    pub fn typed(&self, chance: &mut Chance) -> String {
        let wrong = match self.habit {
            Habit::Home | Habit::Visitor => false,
            Habit::Forgetful => chance.once_in(3),
            Habit::Wrong => true,
        };
        if wrong { format!("{}x", self.password) } else { self.password.clone() }
    }

    /// Seconds online before the subscriber leaves by itself.
    pub fn stays_s(&self, chance: &mut Chance) -> f64 {
        match self.habit {
            Habit::Home if chance.once_in(8) => chance.between(120.0, 600.0),
            Habit::Home => chance.between(2400.0, 14_400.0),
            Habit::Visitor | Habit::Forgetful | Habit::Wrong => chance.between(240.0, 1200.0),
        }
    }

    /// Seconds until the next try after leaving.
    pub fn away_s(&self, chance: &mut Chance) -> f64 {
        match self.habit {
            Habit::Home => chance.between(10.0, 90.0),
            Habit::Visitor | Habit::Forgetful | Habit::Wrong => chance.between(45.0, 240.0),
        }
    }

    /// Seconds until the next try after a refusal: devices are patient, people less so.
    pub fn sulks_s(&self, chance: &mut Chance) -> f64 {
        chance.between(60.0, 180.0)
    }
}

/// What share of its rate a line carries at a local hour: little before dawn, most around nine in the evening.
pub fn busy(hour: f64) -> f64 {
    // Knots of a day, joined by straight lines.
    const KNOTS: [(f64, f64); 8] =
        [(0.0, 0.14), (3.0, 0.03), (6.0, 0.05), (9.0, 0.12), (14.0, 0.15), (18.0, 0.22), (21.0, 0.34), (24.0, 0.14)];
    let hour = hour.rem_euclid(24.0);
    let next = KNOTS.iter().position(|(at, _)| *at > hour).unwrap_or(KNOTS.len() - 1);
    let ((from, low), (to, high)) = (KNOTS[next.saturating_sub(1)], KNOTS[next]);
    low + (high - low) * (hour - from) / (to - from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evenings_are_busier_than_nights() {
        for (quiet, loud) in [(3.0, 9.0), (9.0, 21.0), (4.5, 0.0)] {
            assert!(busy(quiet) < busy(loud), "{quiet} {loud}");
        }
        assert_eq!(busy(24.0), busy(0.0));
        for quarter in 0..200 {
            assert!((0.0..=0.35).contains(&busy(f64::from(quarter) / 4.0)));
        }
    }

    #[test]
    fn habits_differ_in_what_is_typed() {
        let line = |habit| Line {
            username: "u".into(),
            password: "p".into(),
            method: Method::Pap,
            mac: Mac([2; 6]),
            habit,
            appetite: 1.0,
        };
        let wrong = |habit| {
            let mut chance = Chance::new(1);
            (0..300).filter(|_| line(habit).typed(&mut chance) != "p").count()
        };
        assert_eq!((wrong(Habit::Home), wrong(Habit::Wrong)), (0, 300));
        assert!((60..140).contains(&wrong(Habit::Forgetful)));
    }
}
