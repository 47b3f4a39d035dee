//! Expressions: how their tokens belong together.

use super::lex::Token;
use super::{Error, Value};

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// A value that is written out.
    Literal(Value),
    /// A variable.
    Variable(String),
    /// `of.name`, or `of[index]`.
    Part(Box<Expression>, Box<Expression>),
    /// `name(arguments)`
    Call(String, Vec<Expression>),
    /// `of|name:argument`
    Filter(Box<Expression>, String, Option<Box<Expression>>),
    /// `not of`
    Not(Box<Expression>),
    /// `-of`
    Minus(Box<Expression>),
    /// Two and what is between them.
    Two(Operator, Box<Expression>, Box<Expression>),
}

/// What may stand between two expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Operator {
    Or,
    And,
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    More,
    MoreOrEqual,
    In,
    Plus,
    Minus,
    Times,
    Divided,
    Rest,
}

use Operator::*;

/// Operators from the loosest to the closest; those of one row are taken from left to right.
const ROWS: [&[(&str, Operator)]; 5] = [
    &[("or", Or), ("||", Or)],
    &[("and", And), ("&&", And)],
    &[
        ("==", Equal),
        ("!=", Unequal),
        ("<>", Unequal),
        ("<=", LessOrEqual),
        (">=", MoreOrEqual),
        ("<", Less),
        (">", More),
        ("in", In),
    ],
    &[("+", Plus), ("-", Minus)],
    &[("*", Times), ("/", Divided), ("%", Rest)],
];

/// The row that binds like `not`.
const NOT: usize = 2;

/// How deep expressions may be within each other.
const DEEPEST: usize = 40;

/// Reads expressions off a list of tokens.
pub struct Reader<'t> {
    tokens: &'t [Token],
    line: usize,
    depth: usize,
}

impl<'t> Reader<'t> {
    /// A reader of these tokens, which stand in this line.
    pub fn new(tokens: &'t [Token], line: usize) -> Reader<'t> {
        Reader { tokens, line, depth: 0 }
    }

    /// An error at this place.
    pub fn wrong<T>(&self, what: impl Into<String>) -> Result<T, Error> {
        Err(Error::new(self.line, what))
    }

    fn next(&mut self) -> Option<&'t Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    /// Takes a symbol or keyword if that is what comes next.
    pub fn take(&mut self, word: &str) -> bool {
        let is = match self.tokens.first() {
            Some(Token::Symbol(symbol)) => *symbol == word,
            Some(Token::Name(name)) => name == word,
            _ => false,
        };
        if is {
            self.next();
        }
        is
    }

    /// Takes a symbol or keyword that must come next.
    ///
    /// # Errors
    /// When something else does.
    pub fn must(&mut self, word: &str) -> Result<(), Error> {
        if self.take(word) { Ok(()) } else { self.wrong(format!("{word:?} is missing")) }
    }

    /// Takes a name.
    ///
    /// # Errors
    /// When something else comes next.
    pub fn name(&mut self) -> Result<String, Error> {
        match self.next() {
            Some(Token::Name(name)) => Ok(name.clone()),
            _ => self.wrong("a name is missing"),
        }
    }

    /// Whether nothing is left.
    pub fn is_done(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Nothing may be left.
    ///
    /// # Errors
    /// When something is.
    pub fn done(&self) -> Result<(), Error> {
        match self.tokens.first() {
            None => Ok(()),
            Some(token) => self.wrong(format!("unexpected {token:?}")),
        }
    }

    /// A whole expression.
    ///
    /// # Errors
    /// When there is none.
    pub fn expression(&mut self) -> Result<Expression, Error> {
        self.row(0)
    }

    fn row(&mut self, row: usize) -> Result<Expression, Error> {
        let Some(operators) = ROWS.get(row) else { return self.sign() };
        self.depth += 1;
        if self.depth > DEEPEST * (ROWS.len() + 1) {
            return self.wrong("expressions are nested too deeply");
        }
        let mut left = if row == NOT && (self.take("not") || self.take("!")) {
            Expression::Not(Box::new(self.row(NOT)?))
        } else {
            self.row(row + 1)?
        };
        let mut count = 0;
        while let Some((_, operator)) = operators.iter().find(|(word, _)| self.take(word)) {
            let right = self.row(row + 1)?;
            left = Expression::Two(*operator, Box::new(left), Box::new(right));
            count += 1;
            // Long chains are deep trees.
            if count > DEEPEST {
                return self.wrong("an expression is too long");
            }
        }
        self.depth -= 1;
        Ok(left)
    }

    fn sign(&mut self) -> Result<Expression, Error> {
        if self.take("-") {
            return Ok(Expression::Minus(Box::new(self.filtered()?)));
        }
        self.filtered()
    }

    fn filtered(&mut self) -> Result<Expression, Error> {
        let mut found = self.primary()?;
        let mut count = 0;
        while self.take("|") {
            let name = self.name()?;
            let argument = if self.take(":") { Some(Box::new(self.primary()?)) } else { None };
            found = Expression::Filter(Box::new(found), name, argument);
            count += 1;
            if count > DEEPEST {
                return self.wrong("too many filters");
            }
        }
        Ok(found)
    }

    /// A value, with its parts.
    fn primary(&mut self) -> Result<Expression, Error> {
        let mut found = match self.next() {
            Some(Token::Text(text)) => Expression::Literal(Value::Text(text.clone())),
            Some(Token::Integer(number)) => Expression::Literal(Value::Integer(*number)),
            Some(Token::Float(number)) => Expression::Literal(Value::Float(*number)),
            Some(Token::Symbol("(")) => {
                let inner = self.expression()?;
                self.must(")")?;
                inner
            }
            Some(Token::Name(name)) => match name.to_ascii_lowercase().as_str() {
                "true" => Expression::Literal(Value::Truth(true)),
                "false" => Expression::Literal(Value::Truth(false)),
                "none" | "nil" => Expression::Literal(Value::Nothing),
                _ if self.take("(") => Expression::Call(name.clone(), self.arguments()?),
                _ => Expression::Variable(name.clone()),
            },
            _ => return self.wrong("a value is missing"),
        };
        let mut count = 0;
        loop {
            let part = if self.take(".") {
                match self.next() {
                    Some(Token::Name(name)) => Expression::Literal(Value::Text(name.clone())),
                    Some(Token::Integer(number)) => Expression::Literal(Value::Integer(*number)),
                    _ => return self.wrong("a name is missing behind the point"),
                }
            } else if self.take("[") {
                let part = self.expression()?;
                self.must("]")?;
                part
            } else {
                return Ok(found);
            };
            found = Expression::Part(Box::new(found), Box::new(part));
            count += 1;
            if count > DEEPEST {
                return self.wrong("a value has too many parts");
            }
        }
    }

    fn arguments(&mut self) -> Result<Vec<Expression>, Error> {
        let mut arguments = Vec::new();
        while !self.take(")") {
            if !arguments.is_empty() {
                self.must(",")?;
            }
            arguments.push(self.expression()?);
        }
        Ok(arguments)
    }
}
