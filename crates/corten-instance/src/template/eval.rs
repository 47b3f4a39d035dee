//! Making text: each step is counted, and every text is measured.

use std::collections::BTreeMap;

use super::expression::{Expression, Operator};
use super::parse::Node;
use super::{Error, LONGEST, STEPS, Value, filters};

/// A template under way.
pub struct Eval<'c> {
    /// The innermost names come last.
    names: Vec<(String, Value)>,
    config: &'c BTreeMap<String, String>,
    out: String,
    steps: usize,
    line: usize,
}

impl<'c> Eval<'c> {
    /// One that knows these names.
    pub fn new(variables: BTreeMap<String, Value>, config: &'c BTreeMap<String, String>) -> Eval<'c> {
        Eval { names: variables.into_iter().collect(), config, out: String::new(), steps: 0, line: 1 }
    }

    /// The text that nodes make.
    ///
    /// # Errors
    /// When it becomes too much, or a value cannot be had.
    pub fn run(mut self, nodes: &[Node]) -> Result<String, Error> {
        self.block(nodes)?;
        Ok(self.out)
    }

    fn wrong<T>(&self, what: impl Into<String>) -> Result<T, Error> {
        Err(Error::new(self.line, what))
    }

    fn step(&mut self) -> Result<(), Error> {
        self.steps(1)
    }

    fn steps(&mut self, count: usize) -> Result<(), Error> {
        self.steps = self.steps.saturating_add(count);
        if self.steps > STEPS { self.wrong("the template does too much") } else { Ok(()) }
    }

    fn write(&mut self, text: &str) -> Result<(), Error> {
        if self.out.len() + text.len() > LONGEST {
            return self.wrong(format!("the text becomes longer than {LONGEST} bytes"));
        }
        self.out.push_str(text);
        Ok(())
    }

    /// A block; the names that it sets end with it.
    fn block(&mut self, nodes: &[Node]) -> Result<(), Error> {
        let known = self.names.len();
        for node in nodes {
            self.step()?;
            self.node(node)?;
        }
        self.names.truncate(known);
        Ok(())
    }

    fn node(&mut self, node: &Node) -> Result<(), Error> {
        match node {
            Node::Text(text) => self.write(text),
            Node::Output(expression, line) => {
                self.line = *line;
                let text = self.value(expression)?.to_string();
                self.write(&text)
            }
            Node::If(branches, otherwise, line) => {
                self.line = *line;
                for (condition, body) in branches {
                    if self.value(condition)?.is_true() {
                        return self.block(body);
                    }
                }
                self.block(otherwise)
            }
            Node::For { names, over, reversed, body, empty, line } => {
                self.line = *line;
                let over = self.value(over)?;
                if let Value::Text(text) = &over {
                    self.steps(text.len())?;
                }
                let mut values = pairs(over);
                if *reversed {
                    values.reverse();
                }
                if values.is_empty() {
                    return self.block(empty);
                }
                self.repeat(names, values, body)
            }
            Node::With(names, body, line) => {
                self.line = *line;
                let known = self.names.len();
                for (name, expression) in names {
                    let value = self.value(expression)?;
                    self.names.push((name.clone(), value));
                }
                self.block(body)?;
                self.names.truncate(known);
                Ok(())
            }
            Node::Set(name, expression, line) => {
                self.line = *line;
                let value = self.value(expression)?;
                self.names.push((name.clone(), value));
                Ok(())
            }
            Node::FirstOf(values, line) => {
                self.line = *line;
                for expression in values {
                    let value = self.value(expression)?;
                    if value.is_true() {
                        return self.write(&value.to_string());
                    }
                }
                Ok(())
            }
        }
    }

    fn repeat(&mut self, names: &[String], values: Vec<(Value, Value)>, body: &[Node]) -> Result<(), Error> {
        let (known, count) = (self.names.len(), values.len());
        for (at, (key, value)) in values.into_iter().enumerate() {
            self.names.push(("forloop".to_string(), position(at, count)));
            if let [first, second] = names {
                self.names.push((first.clone(), key));
                self.names.push((second.clone(), value));
            } else if let [name] = names {
                self.names.push((name.clone(), key));
            }
            self.block(body)?;
            self.names.truncate(known);
        }
        Ok(())
    }

    fn value(&mut self, expression: &Expression) -> Result<Value, Error> {
        self.step()?;
        let value = self.made(expression)?;
        // Large values cost as much as is copied of them.
        self.steps(weight(&value))?;
        Ok(value)
    }

    fn made(&mut self, expression: &Expression) -> Result<Value, Error> {
        match expression {
            Expression::Literal(value) => Ok(value.clone()),
            Expression::Variable(name) => {
                self.steps(self.names.len() / 64)?;
                let found = self.names.iter().rev().find(|(known, _)| known == name);
                Ok(found.map(|(_, value)| value.clone()).unwrap_or_default())
            }
            Expression::Part(of, part) => {
                let (of, part) = (self.value(of)?, self.value(part)?);
                Ok(part_of(&of, &part))
            }
            Expression::Call(name, arguments) => self.call(name, arguments),
            Expression::Filter(of, name, argument) => {
                let of = self.value(of)?;
                let argument = argument.as_ref().map(|argument| self.value(argument)).transpose()?;
                let made = filters::apply(name, of, argument).map_err(|what| Error::new(self.line, what))?;
                self.measured(made)
            }
            Expression::Not(of) => Ok(Value::Truth(!self.value(of)?.is_true())),
            Expression::Minus(of) => match self.value(of)? {
                Value::Integer(number) => Ok(Value::Integer(number.wrapping_neg())),
                Value::Float(number) => Ok(Value::Float(-number)),
                _ => self.wrong("Negative sign on a non-number expression"),
            },
            Expression::Two(operator, one, other) => self.two(*operator, one, other),
        }
    }

    fn measured(&self, value: Value) -> Result<Value, Error> {
        match &value {
            Value::Text(text) if text.len() > LONGEST => {
                self.wrong(format!("a value becomes longer than {LONGEST} bytes"))
            }
            _ => Ok(value),
        }
    }

    /// The only function that there is.
    fn call(&mut self, name: &str, arguments: &[Expression]) -> Result<Value, Error> {
        let ("config_get", [key, default]) = (name, arguments) else {
            return match name {
                "config_get" => self.wrong("config_get takes a key and a default"),
                _ => self.wrong(format!("{name:?} is not a function")),
            };
        };
        let (key, default) = (self.value(key)?, self.value(default)?);
        let found = self.config.get(&key.to_string());
        Ok(found.map_or(default, |value| Value::Text(value.trim_end_matches(['\r', '\n']).to_string())))
    }

    fn two(&mut self, operator: Operator, one: &Expression, other: &Expression) -> Result<Value, Error> {
        let one = self.value(one)?;
        match operator {
            Operator::And if !one.is_true() => return Ok(Value::Truth(false)),
            Operator::Or if one.is_true() => return Ok(Value::Truth(true)),
            _ => {}
        }
        let other = self.value(other)?;
        let value = match operator {
            Operator::And | Operator::Or => Value::Truth(other.is_true()),
            Operator::Equal => Value::Truth(same(&one, &other)),
            Operator::Unequal => Value::Truth(!same(&one, &other)),
            Operator::In => Value::Truth(contains(&other, &one)),
            Operator::Less => Value::Truth(order(&one, &other).is_some_and(std::cmp::Ordering::is_lt)),
            Operator::LessOrEqual => Value::Truth(order(&one, &other).is_some_and(std::cmp::Ordering::is_le)),
            Operator::More => Value::Truth(order(&one, &other).is_some_and(std::cmp::Ordering::is_gt)),
            Operator::MoreOrEqual => Value::Truth(order(&one, &other).is_some_and(std::cmp::Ordering::is_ge)),
            _ => match calculate(operator, &one, &other) {
                Some(value) => value,
                None => return self.wrong("these two cannot be calculated with"),
            },
        };
        self.measured(value)
    }
}

/// What a value costs beside the step that makes it.
fn weight(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len() / 256,
        Value::List(values) => values.iter().map(|value| 1 + weight(value)).sum(),
        Value::Map(map) => map.iter().map(|(key, value)| 1 + key.len() / 256 + weight(value)).sum(),
        _ => 0,
    }
}

/// Keys and values of a map; of a list, the values as keys, with their places.
fn pairs(value: Value) -> Vec<(Value, Value)> {
    match value {
        Value::Map(map) => map.into_iter().map(|(key, value)| (Value::Text(key), value)).collect(),
        Value::List(values) => values.into_iter().map(|value| (value.clone(), value)).collect(),
        Value::Text(text) => text.chars().map(|letter| letter.to_string().as_str().into()).map(both).collect(),
        _ => Vec::new(),
    }
}

fn both(value: Value) -> (Value, Value) {
    (value.clone(), value)
}

/// Where a repetition is, by pongo2's names and Django's.
fn position(at: usize, count: usize) -> Value {
    let number = |number: usize| Value::Integer(i64::try_from(number).unwrap_or(i64::MAX));
    let facts = [
        ("Counter", number(at + 1)),
        ("Counter0", number(at)),
        ("Revcounter", number(count - at)),
        ("Revcounter0", number(count - at - 1)),
        ("First", Value::Truth(at == 0)),
        ("Last", Value::Truth(at + 1 == count)),
    ];
    let named = facts
        .iter()
        .flat_map(|(name, value)| [((*name).to_string(), value.clone()), (name.to_lowercase(), value.clone())]);
    Value::Map(named.collect())
}

fn part_of(of: &Value, part: &Value) -> Value {
    let found = match (of, part) {
        (Value::Map(map), part) => map.get(&part.to_string()).cloned(),
        (Value::List(values), Value::Integer(at)) => usize::try_from(*at).ok().and_then(|at| values.get(at)).cloned(),
        (Value::Text(text), Value::Integer(at)) => {
            usize::try_from(*at).ok().and_then(|at| text.chars().nth(at)).map(|letter| Value::Text(letter.to_string()))
        }
        _ => None,
    };
    found.unwrap_or_default()
}

fn float(value: &Value) -> Option<f64> {
    match value {
        #[allow(clippy::cast_precision_loss, reason = "as pongo2 compares")]
        Value::Integer(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        _ => None,
    }
}

fn same(one: &Value, other: &Value) -> bool {
    match (float(one), float(other)) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}

fn order(one: &Value, other: &Value) -> Option<std::cmp::Ordering> {
    match (one, other) {
        (Value::Text(one), Value::Text(other)) => Some(one.cmp(other)),
        _ => float(one)?.partial_cmp(&float(other)?),
    }
}

fn contains(all: &Value, one: &Value) -> bool {
    match all {
        Value::Text(text) => text.contains(&one.to_string()),
        Value::List(values) => values.iter().any(|value| same(value, one)),
        Value::Map(map) => map.contains_key(&one.to_string()),
        _ => false,
    }
}

fn calculate(operator: Operator, one: &Value, other: &Value) -> Option<Value> {
    if operator == Operator::Plus && (matches!(one, Value::Text(_)) || matches!(other, Value::Text(_))) {
        return Some(Value::Text(format!("{one}{other}")));
    }
    if let (Value::Integer(one), Value::Integer(other)) = (one, other) {
        return match operator {
            Operator::Plus => one.checked_add(*other),
            Operator::Minus => one.checked_sub(*other),
            Operator::Times => one.checked_mul(*other),
            Operator::Divided => one.checked_div(*other),
            Operator::Rest => one.checked_rem(*other),
            _ => None,
        }
        .map(Value::Integer);
    }
    let (one, other) = (float(one)?, float(other)?);
    match operator {
        Operator::Plus => Some(one + other),
        Operator::Minus => Some(one - other),
        Operator::Times => Some(one * other),
        Operator::Divided => Some(one / other),
        Operator::Rest => Some(one % other),
        _ => None,
    }
    .map(Value::Float)
}
