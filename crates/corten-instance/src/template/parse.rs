//! Tags: what belongs between their beginning and their end.

use super::Error;
use super::expression::{Expression, Operator, Reader};
use super::lex::Piece;

/// A part of a template, ready to be made into text.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// Text as it is.
    Text(String),
    /// The text of a value.
    Output(Expression, usize),
    /// The first block whose condition holds.
    If(Vec<(Expression, Vec<Node>)>, Vec<Node>, usize),
    /// A block for each of several values.
    For {
        /// One name for a list's values or a map's keys, two for a map's keys and values.
        names: Vec<String>,
        /// The values.
        over: Expression,
        /// From the last to the first.
        reversed: bool,
        /// The block.
        body: Vec<Node>,
        /// What stands there when there is no value.
        empty: Vec<Node>,
        /// Where it begins.
        line: usize,
    },
    /// A block in which names have values.
    With(Vec<(String, Expression)>, Vec<Node>, usize),
    /// A name gets a value.
    Set(String, Expression, usize),
    /// The first value that is true.
    FirstOf(Vec<Expression>, usize),
}

/// How deep blocks may be within each other.
const DEEPEST: usize = 40;

/// Tags that LXD refuses too: they would read files of the host.
const BANNED: [&str; 4] = ["extends", "import", "include", "ssi"];

/// The nodes of a template.
///
/// # Errors
/// For tags that there are not, and blocks without an end.
pub fn parse(pieces: &[Piece]) -> Result<Vec<Node>, Error> {
    let mut parser = Parser { pieces, at: 0, depth: 0 };
    let (nodes, end) = parser.until(&[])?;
    match end {
        None => Ok(nodes),
        Some((name, line)) => Err(Error::new(line, format!("Tag '{name}' not found (or beginning tag not provided)"))),
    }
}

struct Parser<'p> {
    pieces: &'p [Piece],
    at: usize,
    depth: usize,
}

/// A tag that ends a block.
type End = Option<(String, usize)>;

impl Parser<'_> {
    /// Nodes up to one of these tags, which is the next to be read; the end of the template where there is none.
    fn until(&mut self, ends: &[&str]) -> Result<(Vec<Node>, End), Error> {
        self.depth += 1;
        let mut nodes = Vec::new();
        while let Some(piece) = self.pieces.get(self.at) {
            match piece {
                Piece::Text(text) => nodes.push(Node::Text(text.clone())),
                Piece::Output(tokens, line) => {
                    let mut reader = Reader::new(tokens, *line);
                    let expression = reader.expression()?;
                    reader.done()?;
                    nodes.push(Node::Output(expression, *line));
                }
                Piece::Tag(name, _, line) if ends.contains(&name.as_str()) => {
                    self.depth -= 1;
                    return Ok((nodes, Some((name.clone(), *line))));
                }
                Piece::Tag(name, tokens, line) => {
                    if self.depth > DEEPEST {
                        return Err(Error::new(*line, "blocks are nested too deeply"));
                    }
                    self.at += 1;
                    nodes.extend(self.tag(name, Reader::new(tokens, *line), *line)?);
                    continue;
                }
            }
            self.at += 1;
        }
        self.depth -= 1;
        match ends.last() {
            None => Ok((nodes, None)),
            Some(end) => Err(Error::new(0, format!("Unexpected EOF, expected tag {end}."))),
        }
    }

    /// The tag that the last block ended with.
    fn ending(&mut self) -> (String, Reader<'_>, usize) {
        let piece = &self.pieces[self.at];
        self.at += 1;
        match piece {
            Piece::Tag(name, tokens, line) => (name.clone(), Reader::new(tokens, *line), *line),
            _ => (String::new(), Reader::new(&[], 0), 0),
        }
    }

    fn tag(&mut self, name: &str, reader: Reader<'_>, line: usize) -> Result<Vec<Node>, Error> {
        match name {
            "if" => self.condition(reader, line).map(|node| vec![node]),
            "ifequal" | "ifnotequal" => self.comparison(name, reader, line).map(|node| vec![node]),
            "for" => self.repetition(reader, line).map(|node| vec![node]),
            "with" => self.with(reader, line).map(|node| vec![node]),
            "set" => {
                let mut reader = reader;
                let name = reader.name()?;
                reader.must("=")?;
                let value = reader.expression()?;
                reader.done()?;
                Ok(vec![Node::Set(name, value, line)])
            }
            "firstof" => {
                let (mut reader, mut values) = (reader, Vec::new());
                while !reader.is_done() {
                    values.push(reader.expression()?);
                }
                Ok(vec![Node::FirstOf(values, line)])
            }
            // Nothing is escaped here in any case.
            "autoescape" => {
                let (body, _) = self.until(&["endautoescape"])?;
                self.ending();
                Ok(body)
            }
            banned if BANNED.contains(&banned) => {
                Err(Error::new(line, format!("Usage of tag '{banned}' is not allowed (sandbox restriction active).")))
            }
            other => Err(Error::new(line, format!("Tag '{other}' not found (or beginning tag not provided)"))),
        }
    }

    fn condition(&mut self, mut reader: Reader<'_>, line: usize) -> Result<Node, Error> {
        let mut branches = Vec::new();
        let mut condition = reader.expression()?;
        reader.done()?;
        loop {
            let (body, _) = self.until(&["elif", "else", "endif"])?;
            branches.push((condition, body));
            let (end, mut reader, _) = self.ending();
            match end.as_str() {
                "elif" => {
                    condition = reader.expression()?;
                    reader.done()?;
                }
                "else" => {
                    let (otherwise, _) = self.until(&["endif"])?;
                    self.ending();
                    return Ok(Node::If(branches, otherwise, line));
                }
                _ => return Ok(Node::If(branches, Vec::new(), line)),
            }
        }
    }

    fn comparison(&mut self, name: &str, mut reader: Reader<'_>, line: usize) -> Result<Node, Error> {
        let operator = if name == "ifequal" { Operator::Equal } else { Operator::Unequal };
        let (one, other) = (reader.expression()?, reader.expression()?);
        reader.done()?;
        let condition = Expression::Two(operator, Box::new(one), Box::new(other));
        let end = format!("end{name}");
        let (body, ended) = self.until(&["else", &end])?;
        self.ending();
        let mut otherwise = Vec::new();
        if ended.is_some_and(|(end, _)| end == "else") {
            otherwise = self.until(&[&end])?.0;
            self.ending();
        }
        Ok(Node::If(vec![(condition, body)], otherwise, line))
    }

    fn repetition(&mut self, mut reader: Reader<'_>, line: usize) -> Result<Node, Error> {
        let mut names = vec![reader.name()?];
        if reader.take(",") {
            names.push(reader.name()?);
        }
        reader.must("in")?;
        let over = reader.expression()?;
        let (mut reversed, mut more) = (false, true);
        while more {
            // Maps and lists have an order here already.
            more = reader.take("sorted");
            if reader.take("reversed") {
                (reversed, more) = (true, true);
            }
        }
        reader.done()?;
        let (body, ended) = self.until(&["empty", "endfor"])?;
        self.ending();
        let mut empty = Vec::new();
        if ended.is_some_and(|(end, _)| end == "empty") {
            empty = self.until(&["endfor"])?.0;
            self.ending();
        }
        Ok(Node::For { names, over, reversed, body, empty, line })
    }

    fn with(&mut self, mut reader: Reader<'_>, line: usize) -> Result<Node, Error> {
        let mut names = Vec::new();
        while !reader.is_done() {
            let value = reader.expression()?;
            match value {
                Expression::Variable(name) if reader.take("=") => names.push((name, reader.expression()?)),
                value if reader.take("as") => names.push((reader.name()?, value)),
                _ => return reader.wrong("\"=\" or \"as\" is missing"),
            }
        }
        let (body, _) = self.until(&["endwith"])?;
        self.ending();
        Ok(Node::With(names, body, line))
    }
}
