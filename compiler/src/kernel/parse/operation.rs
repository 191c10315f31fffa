//! Values: literals, names, and the operation of a definition.

use super::*;

/// What stands where a value may stand.
enum Atom {
    /// A value that has a name.
    Value(ValueId),
    /// A constant or a scalar that is written in place.
    Leaf(Op),
}

impl Parser {
    /// A use of a value.
    pub(super) fn operand(&mut self) -> Parsed<ValueId> {
        let atom = self.atom()?;
        self.use_of(atom)
    }

    /// Uses of values with commas between them.
    pub(super) fn operands(&mut self) -> Parsed<Vec<ValueId>> {
        let mut operands = vec![self.operand()?];
        while self.accept(",") {
            operands.push(self.operand()?);
        }
        Ok(operands)
    }

    fn use_of(&mut self, atom: Atom) -> Parsed<ValueId> {
        let op = match atom {
            Atom::Value(value) => return Ok(value),
            Atom::Leaf(op) => op,
        };
        if let Some(&value) = self.open.iter().rev().find_map(|open| open.known.get(&op)) {
            return Ok(value);
        }
        let ty = own_type(&self.kernel, &op).ok_or_else(|| self.before("no such value".to_string()))?;
        let value = self.kernel.values.push(Value { ty, op: op.clone(), name: None });
        if let Some(open) = self.open.last_mut() {
            open.known.insert(op, value);
        }
        self.push(Stmt::Let(value));
        Ok(value)
    }

    fn atom(&mut self) -> Parsed<Atom> {
        let negative = self.accept("-");
        let token = self.peek().clone();
        let leaf = match token {
            Token::Number(text) => {
                let constant = number(&text, negative);
                Op::Constant(constant.ok_or_else(|| self.unexpected("a number in range with its type"))?)
            }
            Token::Word(word) => match (word.as_str(), negative) {
                ("inf_f32", _) => Op::Constant(Constant::F32(signed(f32::INFINITY, negative).to_bits())),
                ("inf_f64", _) => {
                    let value = if negative { f64::NEG_INFINITY } else { f64::INFINITY };
                    Op::Constant(Constant::F64(value.to_bits()))
                }
                (_, true) => return Err(self.unexpected("a number")),
                ("true", false) => Op::Constant(Constant::Bool(true)),
                ("false", false) => Op::Constant(Constant::Bool(false)),
                ("nan_f32" | "nan_f64", false) => return self.nan(&word),
                (_, false) => return self.named(&word),
            },
            Token::Quoted(name) if !negative => return self.named(&name),
            Token::Unnamed(name) if !negative => return self.named(&name),
            Token::Quoted(_) | Token::Unnamed(_) | Token::Sign(_) | Token::Docs(_) | Token::End => {
                return Err(self.unexpected(if negative { "a number" } else { "a value" }));
            }
        };
        self.at += 1;
        Ok(Atom::Leaf(leaf))
    }

    fn named(&mut self, name: &str) -> Parsed<Atom> {
        // A name between quotes is never a value's.
        let quoted = matches!(self.peek(), Token::Quoted(_));
        let atom = match (self.values.get(name), self.scalars.get(name)) {
            (Some(&value), _) if !quoted => Atom::Value(value),
            (_, Some(&scalar)) => Atom::Leaf(Op::Scalar(scalar)),
            (_, None) => return Err(self.unexpected("a value that is defined above, a scalar or a literal")),
        };
        self.at += 1;
        Ok(atom)
    }

    fn nan(&mut self, word: &str) -> Parsed<Atom> {
        self.at += 1;
        self.sign("(")?;
        let Token::Number(digits) = self.peek() else { return Err(self.unexpected("the bits of a NaN")) };
        let bits = digits.strip_prefix("0x").and_then(|digits| u64::from_str_radix(digits, 16).ok());
        let constant = match (bits, word) {
            (Some(bits), "nan_f32") => {
                u32::try_from(bits).ok().filter(|bits| f32::from_bits(*bits).is_nan()).map(Constant::F32)
            }
            (Some(bits), _) => Some(bits).filter(|bits| f64::from_bits(*bits).is_nan()).map(Constant::F64),
            (None, _) => None,
        };
        let constant = constant.ok_or_else(|| self.unexpected("the bits of a NaN"))?;
        self.at += 1;
        self.sign(")")?;
        Ok(Atom::Leaf(Op::Constant(constant)))
    }

    /// The right side of a definition, and the type that it states.
    pub(super) fn operation(&mut self) -> Parsed<(Op, Option<Type>)> {
        if self.accept_keyword("load") {
            let buffer = self.buffer()?;
            return Ok((Op::Load(buffer, self.index()?), None));
        }
        let word = match self.peek() {
            Token::Word(word) => word.clone(),
            Token::Quoted(_)
            | Token::Unnamed(_)
            | Token::Number(_)
            | Token::Sign(_)
            | Token::Docs(_)
            | Token::End => String::new(),
        };
        if *self.next() == Token::Sign("(")
            && !word.is_empty()
            && !matches!(word.as_str(), "nan_f32" | "nan_f64")
        {
            return Ok((self.call(&word)?, None));
        }
        let a = self.atom()?;
        if self.is_sign(";") {
            return match a {
                Atom::Leaf(op) => Ok((op, None)),
                Atom::Value(_) => Err(self.error("a definition needs an operation".to_string())),
            };
        }
        let a = self.use_of(a)?;
        if self.accept_keyword("as") {
            let conversion = if self.accept_keyword("unsigned") {
                Conversion::Unsigned
            } else if self.accept_keyword("bits") {
                Conversion::Bits
            } else {
                Conversion::Value
            };
            let ty = self.one_of("a type", find_type)?;
            return Ok((Op::Convert(conversion, a), Some(ty)));
        }
        let Token::Sign(sign) = *self.peek() else { return Err(self.unexpected("an operation")) };
        let op: fn(&str, ValueId, ValueId) -> Option<Op> = |sign, a, b| {
            let binary = find_binary(sign).map(|binary| Op::Binary(binary, a, b));
            binary.or_else(|| find_compare(sign).map(|compare| Op::Compare(compare, a, b)))
        };
        if op(sign, a, a).is_none() {
            return Err(self.unexpected("an operation or `;`"));
        }
        self.at += 1;
        let b = self.operand()?;
        op(sign, a, b).map(|op| (op, None)).ok_or_else(|| self.unexpected("an operation"))
    }

    fn call(&mut self, word: &str) -> Parsed<Op> {
        let line = self.line();
        self.at += 1;
        self.sign("(")?;
        let site = if word == "random" {
            let site = self.plain_number()?;
            self.sign(",")?;
            Some(site)
        } else {
            None
        };
        let arguments = self.operands()?;
        self.sign(")")?;
        let op = match (site, arguments.as_slice()) {
            (Some(site), &[attempt, run, step, seed, row, column]) => {
                Some(Op::Random(Random { site, attempt, run, step, seed, row, column }))
            }
            (Some(_), _) => None,
            (None, _) => plain_call(word, &arguments),
        };
        op.ok_or_else(|| {
            ParseError::new(line, format!("no operation `{word}` takes {} operands", arguments.len()))
        })
    }

    /// A word, and where random words come from.
    pub(super) fn random(&mut self) -> Parsed<Random> {
        match self.call("random")? {
            Op::Random(random) => Ok(random),
            _ => Err(self.unexpected("a random word")),
        }
    }

    /// The buffer that is named here.
    pub(super) fn buffer(&mut self) -> Parsed<BufferId> {
        let name = self.name()?;
        let buffer = self.buffers.get(&name).copied();
        buffer.ok_or_else(|| self.before(format!("no buffer is called `{name}`")))
    }

    /// An index in brackets.
    pub(super) fn index(&mut self) -> Parsed<ValueId> {
        self.sign("[")?;
        let index = self.operand()?;
        self.sign("]")?;
        Ok(index)
    }
}

fn plain_call(word: &str, arguments: &[ValueId]) -> Option<Op> {
    if let Some(function) = find_math(word) {
        let count = if function == MathFn::Pow { 2 } else { 1 };
        return (arguments.len() == count).then(|| Op::Math(function, arguments.to_vec()));
    }
    match (word, arguments) {
        (_, &[a]) => find_unary(word).map(|unary| Op::Unary(unary, a)),
        ("below", &[a, b]) => Some(Op::Compare(Compare::Below, a, b)),
        (_, &[a, b]) => find_binary(word).map(|binary| Op::Binary(binary, a, b)),
        ("fma", &[a, b, c]) => Some(Op::Fma(a, b, c)),
        ("select", &[a, b, c]) => Some(Op::Select(a, b, c)),
        (_, _) => None,
    }
}

fn signed(value: f32, negative: bool) -> f32 {
    if negative { -value } else { value }
}

/// A literal with its type.
fn number(text: &str, negative: bool) -> Option<Constant> {
    let (digits, suffix) = text.split_at_checked(text.len().checked_sub(3)?)?;
    let digits = if negative { format!("-{digits}") } else { digits.to_string() };
    // Rust's own forms `inf` and `nan` cannot come here: a number begins with a digit.
    match suffix {
        "f32" => {
            digits.parse::<f32>().ok().filter(|value| value.is_finite()).map(|v| Constant::F32(v.to_bits()))
        }
        "f64" => {
            digits.parse::<f64>().ok().filter(|value| value.is_finite()).map(|v| Constant::F64(v.to_bits()))
        }
        "i32" => digits.parse().ok().map(Constant::I32),
        "i64" => digits.parse().ok().map(Constant::I64),
        _ => None,
    }
}
