//! Who lives in the demo: every kind of line, every state, as a table.

use domain::{Kind, Mac};

use crate::simulate::line::{Habit, Line, Method};

/// Everybody's password, for the network and the portal.
pub const PASSWORD: &str = "welcome1";

/// What is sold, by the place in the table of plans (`seed.rs`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sold {
    Home10,
    Home20,
    Hour,
    Day,
    Week,
    Business,
    FiveMinutes,
}

impl Sold {
    pub fn kind(self) -> Kind {
        match self {
            Sold::Home10 | Sold::Home20 => Kind::Pppoe,
            Sold::Hour | Sold::Day | Sold::Week | Sold::FiveMinutes => Kind::Hotspot,
            Sold::Business => Kind::Static,
        }
    }

    /// How long a period is, for telling the past.
    pub fn hours(self) -> i64 {
        match self {
            Sold::Home10 | Sold::Home20 | Sold::Business => 30 * 24,
            Sold::Hour => 1,
            Sold::Day => 24,
            Sold::Week => 7 * 24,
            Sold::FiveMinutes => 0,
        }
    }
}

/// How the story of a customer went until today.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tale {
    /// Pays before every end; came this many hours ago.
    Pays(i64),
    /// Let it run out this many hours ago.
    Lapsed(i64),
    Suspended(&'static str),
    Disabled(&'static str),
    Inactive(&'static str),
}

use Habit::{Forgetful, Home, Visitor, Wrong};
use Sold::{Business, Day, FiveMinutes, Home10, Home20, Hour, Week};
use Tale::{Disabled, Inactive, Lapsed, Pays, Suspended};

#[derive(Clone, Copy, Debug)]
pub struct Person {
    pub name: &'static str,
    pub sold: Sold,
    pub tale: Tale,
    /// `None`: the line is dark.
    pub habit: Option<Habit>,
    pub building: Option<i64>,
}

const fn person(name: &'static str, sold: Sold, tale: Tale, habit: Option<Habit>, building: Option<i64>) -> Person {
    Person { name, sold, tale, habit, building }
}

#[rustfmt::skip]
pub const PEOPLE: &[Person] = &[
    //     name                sold      tale                                   at the line      building
    person("Amina Otieno",     Home10,   Pays(1500),                            Some(Home),      Some(1)),
    person("Brian Kamau",      Home10,   Pays(1310),                            Some(Home),      Some(1)),
    person("Caroline Wanjiru", Home20,   Pays(1206),                            Some(Home),      Some(1)),
    person("Daniel Kiprono",   Home10,   Pays(700),                             Some(Home),      Some(2)),
    person("Esther Achieng",   Home10,   Pays(1431),                            Some(Home),      Some(2)),
    person("Francis Mutua",    Home20,   Pays(1100),                            Some(Home),      None),
    person("Grace Njeri",      Home10,   Pays(980),                             Some(Home),      Some(3)),
    person("Hassan Abdi",      Home10,   Pays(866),                             Some(Home),      Some(3)),
    person("Irene Chebet",     Home20,   Pays(711),                             Some(Home),      None),
    person("James Odhiambo",   Home10,   Pays(650),                             Some(Home),      Some(4)),
    person("Khadija Yusuf",    Home10,   Pays(604),                             Some(Home),      None),
    person("Leonard Maina",    Home20,   Pays(540),                             Some(Home),      Some(4)),
    person("Mercy Atieno",     Home10,   Pays(433),                             Some(Home),      Some(5)),
    person("Nicholas Rotich",  Home10,   Pays(397),                             Some(Home),      None),
    person("Olivia Wambui",    Home20,   Pays(320),                             Some(Home),      Some(5)),
    person("Peter Njoroge",    Home10,   Pays(255),                             Some(Home),      None),
    person("Queenter Akinyi",  Home10,   Pays(207),                             Some(Home),      Some(1)),
    person("Rashid Omar",      Home20,   Pays(166),                             Some(Home),      None),
    person("Sarah Chelangat",  Home10,   Pays(98),                              Some(Home),      Some(2)),
    person("Timothy Barasa",   Home10,   Pays(51),                              Some(Home),      None),
    person("Umar Farah",       Home20,   Pays(27),                              Some(Home),      Some(3)),
    person("Violet Nekesa",    Home10,   Pays(6),                               Some(Home),      None),
    person("Wilson Kibet",     Home10,   Pays(2),                               Some(Home),      None),
    person("Ann Moraa",        Home10,   Pays(1120),                            None,            Some(4)),
    person("Boniface Okello",  Home20,   Pays(830),                             None,            None),
    person("Catherine Wairimu",Home10,   Pays(500),                             None,            Some(5)),
    person("David Simiyu",     Home10,   Pays(345),                             Some(Forgetful), None),
    person("Eunice Jepkoech",  Home20,   Pays(260),                             Some(Wrong),     None),
    person("Felix Onyango",    Home10,   Lapsed(30),                            Some(Home),      Some(1)),
    person("Gladys Mumbua",    Home10,   Lapsed(76),                            Some(Home),      None),
    person("Henry Langat",     Home20,   Lapsed(5),                             Some(Home),      Some(2)),
    person("Ivy Wangari",      Home10,   Lapsed(400),                           None,            None),
    person("Joseph Mwangi",    Home20,   Lapsed(220),                           None,            Some(3)),
    person("Kevin Ouma",       Home10,   Lapsed(700),                           None,            None),
    person("Lucy Kerubo",      Home10,   Suspended("asked for a pause"),        Some(Home),      None),
    person("Moses Wekesa",     Home20,   Suspended("unpaid equipment"),         None,            Some(4)),
    person("Nancy Muthoni",    Home10,   Disabled("moved away"),                None,            None),
    person("Oscar Kimani",     Home10,   Disabled("shared the line for money"), Some(Visitor),   None),
    person("Purity Gakii",     Home20,   Inactive("travelling"),                None,            Some(5)),
    person("Robert Nyaga",     Home10,   Inactive("house being rebuilt"),       None,            None),
    person("Sofia Ali",        Week,     Pays(600),                             Some(Visitor),   None),
    person("Thomas Kosgei",    Week,     Pays(420),                             Some(Visitor),   None),
    person("Ursula Adhiambo",  Week,     Pays(130),                             Some(Visitor),   None),
    person("Victor Mbugua",    Week,     Pays(70),                              Some(Visitor),   None),
    person("Winnie Cherono",   Day,      Pays(75),                              Some(Visitor),   None),
    person("Yvonne Kendi",     Day,      Pays(40),                              Some(Visitor),   None),
    person("Zachary Oloo",     Day,      Pays(20),                              Some(Forgetful), None),
    person("Alice Mwende",     Day,      Pays(9),                               Some(Visitor),   None),
    person("Ben Kipchoge",     Hour,     Pays(1),                               Some(Visitor),   None),
    person("Clara Nafula",     Hour,     Pays(0),                               Some(Visitor),   None),
    person("Dennis Gitau",     Day,      Lapsed(3),                             Some(Visitor),   None),
    person("Edith Wafula",     Week,     Lapsed(60),                            None,            None),
    person("Fred Juma",        Hour,     Lapsed(11),                            None,            None),
    person("Gideon Mutiso",    Week,     Suspended("voucher quarrel"),          None,            None),
    person("Hilda Koech",      Week,     Inactive("lent to a guest"),           None,            None),
    person("Ian Waweru",       FiveMinutes, Pays(0),                            Some(Visitor),   None),
    person("Acme Traders",     Business, Pays(1290),                            Some(Home),      None),
    person("Baraka Clinic",    Business, Pays(900),                             Some(Home),      None),
    person("Coast Academy",    Business, Pays(310),                             Some(Home),      None),
    person("Duka Wholesale",   Business, Lapsed(48),                            Some(Home),      None),
    person("Elgon Savings",    Business, Pays(140),                             None,            None),
];

/// The second ISP's.
#[rustfmt::skip]
pub const OTHERS: &[Person] = &[
    person("Farhana Akter",    Home10,   Pays(400),                             Some(Home),      None),
    person("Rakib Hasan",      Home10,   Pays(90),                              Some(Home),      None),
    person("Nusrat Jahan",     Home10,   Lapsed(12),                            Some(Home),      None),
];

impl Person {
    /// `Amina Otieno` → `amina.otieno`: what the line logs in with.
    pub fn login(&self) -> String {
        self.name.to_lowercase().replace(' ', ".")
    }

    /// The device behind a line; `at` is the person's place in the table.
    pub fn line(&self, at: usize, tenant: u8) -> Option<Line> {
        let method = match (self.sold.kind(), at % 3) {
            (Kind::Pppoe, 0) => Method::MsChapV2,
            (Kind::Pppoe, 1) | (Kind::Hotspot, _) => Method::Chap,
            (Kind::Pppoe | Kind::Static | Kind::Other, _) => Method::Pap,
        };
        Some(Line {
            username: self.login(),
            password: PASSWORD.into(),
            method,
            mac: Mac([0x02, 0x4c, 0x4d, tenant, 0, at as u8]),
            habit: self.habit?,
            appetite: 0.5 + (at * 7 % 11) as f64 / 8.0,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_demo_has_everybody_in_it() {
        let logins: HashSet<String> = PEOPLE.iter().map(Person::login).collect();
        assert_eq!(logins.len(), PEOPLE.len());
        let count = |wanted: fn(&Person) -> bool| PEOPLE.iter().filter(|person| wanted(person)).count();
        assert!(count(|p| p.sold.kind() == Kind::Pppoe) > 14);
        assert!(count(|p| p.sold.kind() == Kind::Hotspot) > 7);
        assert!(count(|p| p.sold.kind() == Kind::Static) > 3);
        assert!(count(|p| matches!(p.tale, Lapsed(_))) > 7);
        for building in 1..=5 {
            assert!(PEOPLE.iter().any(|p| p.building == Some(building)), "{building}");
        }
        assert!(PEOPLE.iter().enumerate().filter_map(|(at, p)| p.line(at, 1)).count() > 30);
    }
}
