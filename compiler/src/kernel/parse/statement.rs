//! Statements and blocks.

use super::*;

/// What ends the statements of a block.
#[derive(Default)]
struct Ending {
    /// `next` or `give`.
    values: Vec<ValueId>,
    /// `exit if`.
    exit: Option<ValueId>,
    /// `term`, with its place and its gate.
    term: Option<(Term, Option<ValueId>, Option<ValueId>)>,
}

impl Parser {
    pub(super) fn push(&mut self, stmt: Stmt) {
        if let Some(open) = self.open.last_mut() {
            open.block.push(stmt);
        }
    }

    /// Statements up to a `}` or to a word that ends a block in a way of its own, which is given.
    pub(super) fn statements(&mut self) -> Parsed<Option<String>> {
        loop {
            let word = match self.peek() {
                Token::Word(word) => word.clone(),
                Token::Sign("}") => return Ok(None),
                Token::Unnamed(_) => String::new(),
                Token::Quoted(_) | Token::Number(_) | Token::Sign(_) | Token::Docs(_) | Token::End => {
                    return Err(self.unexpected("a statement or `}`"));
                }
            };
            match word.as_str() {
                "next" | "give" | "exit" | "term" => return Ok(Some(word)),
                "for" => self.each()?,
                "if" => self.branch()?,
                "store" => self.store()?,
                "tile" => self.tile()?,
                "fill" => self.fill()?,
                "fetch" => self.fetch()?,
                _ => self.definition()?,
            }
        }
    }

    /// A block between braces with what ends it; `values` is the word before the values that leave it.
    fn block(&mut self, values: &str) -> Parsed<(Block, Ending)> {
        self.sign("{")?;
        if self.open.len() >= MAX_DEPTH {
            return Err(self.error(format!("blocks nest more than {MAX_DEPTH} deep")));
        }
        self.open.push(Open::default());
        let mut ending = Ending::default();
        while let Some(word) = self.statements()? {
            self.at += 1;
            if word == values && ending.values.is_empty() && matches!(values, "next" | "give") {
                ending.values = self.operands()?;
            } else if word == "exit" && values == "next" && ending.exit.is_none() {
                self.keyword("if")?;
                ending.exit = Some(self.operand()?);
            } else if word == "term" && values == "term" && ending.term.is_none() {
                ending.term = Some(self.term()?);
            } else {
                return Err(self.before(format!("`{word}` does not end this block")));
            }
            self.sign(";")?;
            if !self.is_sign("}")
                && !matches!(self.peek(), Token::Word(word) if word == "exit" || word == "next")
            {
                return Err(self.unexpected("`}`"));
            }
        }
        self.sign("}")?;
        let open = self.open.pop().unwrap_or_default();
        Ok((open.block, ending))
    }

    fn term(&mut self) -> Parsed<(Term, Option<ValueId>, Option<ValueId>)> {
        let a = self.operand()?;
        let term = if self.accept("*") { Term::Product(a, self.operand()?) } else { Term::Value(a) };
        let slot = if self.accept_keyword("at") { Some(self.operand()?) } else { None };
        Ok((term, slot, self.gate()?))
    }

    fn gate(&mut self) -> Parsed<Option<ValueId>> {
        if self.accept_keyword("if") { self.operand().map(Some) } else { Ok(None) }
    }

    /// The name of a new value, with a type if one is stated.
    fn new_name(&mut self) -> Parsed<(String, Option<Type>)> {
        let name = match self.peek() {
            Token::Word(name) if !is_reserved(name) => name.clone(),
            Token::Unnamed(name) => name.clone(),
            Token::Word(_)
            | Token::Quoted(_)
            | Token::Number(_)
            | Token::Sign(_)
            | Token::Docs(_)
            | Token::End => return Err(self.unexpected("a name for a value")),
        };
        let scalar = matches!(self.peek(), Token::Word(_)) && self.scalars.contains_key(&name);
        if self.values.contains_key(&name) || scalar {
            return Err(self.error(format!("`{name}` is defined already")));
        }
        self.at += 1;
        let ty = if self.accept(":") { Some(self.one_of("a type", find_type)?) } else { None };
        Ok((name, ty))
    }

    /// Adds a value and its name.
    fn add(&mut self, name: String, ty: Type, op: Op) -> ValueId {
        let given = (!name.starts_with('%')).then(|| base_name(&name));
        let value = self.kernel.values.push(Value { ty, op, name: given });
        self.values.insert(name, value);
        value
    }

    /// A value that a statement defines; its type is stated, or that of the value that it is like.
    fn defined(&mut self, like: Type) -> Parsed<ValueId> {
        let (name, ty) = self.new_name()?;
        Ok(self.add(name, ty.unwrap_or(like), Op::Defined))
    }

    fn definition(&mut self) -> Parsed<()> {
        let (name, stated) = self.new_name()?;
        self.sign("=")?;
        if let (Token::Word(word), Token::Word(_)) = (self.peek(), self.next())
            && let Some(op) = find_reduce(word)
        {
            self.at += 1;
            return self.reduce(name, stated, op);
        }
        let (op, own) = self.operation()?;
        self.sign(";")?;
        let ty = stated.or(own).or_else(|| own_type(&self.kernel, &op));
        let ty = ty.ok_or_else(|| self.before("the type of this value is not known".to_string()))?;
        if self.values.contains_key(&name) {
            return Err(self.before(format!("`{name}` is defined already")));
        }
        let value = self.add(name, ty, op);
        self.push(Stmt::Let(value));
        Ok(())
    }

    fn store(&mut self) -> Parsed<()> {
        self.at += 1;
        let buffer = self.buffer()?;
        let index = self.index()?;
        self.sign("=")?;
        let value = self.operand()?;
        let gate = self.gate()?;
        self.sign(";")?;
        self.push(Stmt::Store { buffer, index, value, gate });
        Ok(())
    }

    /// The names after a block for `count` values.
    fn results(&mut self, like: &[Type]) -> Parsed<Vec<ValueId>> {
        if like.is_empty() {
            return Ok(Vec::new());
        }
        self.sign("->")?;
        let mut results = Vec::new();
        for (k, &ty) in like.iter().enumerate() {
            if k > 0 {
                self.sign(",")?;
            }
            results.push(self.defined(ty)?);
        }
        self.sign(";")?;
        Ok(results)
    }

    fn types(&self, values: &[ValueId]) -> Vec<Type> {
        values.iter().map(|&value| self.kernel.values[value].ty).collect()
    }

    fn branch(&mut self) -> Parsed<()> {
        self.at += 1;
        let condition = self.operand()?;
        let (then, then_ending) = self.block("give")?;
        let (otherwise, otherwise_ending) =
            if self.accept_keyword("else") { self.block("give")? } else { Default::default() };
        if then_ending.values.len() != otherwise_ending.values.len() {
            return Err(self.before("both sides of a branch give equally many values".to_string()));
        }
        let values = self.results(&self.types(&then_ending.values))?;
        let sides = then_ending.values.into_iter().zip(otherwise_ending.values);
        let results = values
            .into_iter()
            .zip(sides)
            .map(|(value, (then, otherwise))| BranchResult { value, then, otherwise })
            .collect();
        self.push(Stmt::If { condition, then, otherwise, results });
        Ok(())
    }

    fn each(&mut self) -> Parsed<()> {
        self.at += 1;
        let kind = self.one_of("`blocks`, `lanes` or `serial`", find_loop)?;
        let index = self.defined(Type::I64)?;
        let (mut start, mut end) = (None, None);
        if self.accept_keyword("in") {
            start = Some(self.operand()?);
            self.sign("..")?;
            end = Some(self.operand()?);
        }
        let (mut values, mut initial) = (Vec::new(), Vec::new());
        if self.accept_keyword("carry") {
            loop {
                let (name, ty) = self.new_name()?;
                self.sign("=")?;
                let first = self.operand()?;
                initial.push(first);
                values.push(self.add(name, ty.unwrap_or(self.kernel.values[first].ty), Op::Defined));
                if !self.accept(",") {
                    break;
                }
            }
        }
        let (body, ending) = self.block("next")?;
        if ending.values.len() != values.len() {
            let (needed, given) = (values.len(), ending.values.len());
            return Err(self.before(format!("the loop carries {needed} values, and `next` gives {given}")));
        }
        let results = self.results(&self.types(&values))?;
        let carried = (0..values.len()).map(|k| Carried {
            value: values[k],
            initial: initial[k],
            next: ending.values[k],
            result: results[k],
        });
        let carried = carried.collect();
        self.push(Stmt::For(Loop { kind, index, start, end, carried, exit: ending.exit, body }));
        Ok(())
    }

    fn reduce(&mut self, name: String, stated: Option<Type>, op: ReduceOp) -> Parsed<()> {
        let order = self.one_of("`serial256`, `lanes32` or `pairwise`", find_order)?;
        let index = self.defined(Type::I64)?;
        self.keyword("below")?;
        let count = self.operand()?;
        let extent = if self.accept_keyword("of") { Some(self.operand()?) } else { None };
        let (body, ending) = self.block("term")?;
        let Some((term, slot, gate)) = ending.term else {
            return Err(self.before("a reduction ends with `term`".to_string()));
        };
        let slot = match (slot, extent) {
            (Some(index), Some(extent)) => Some(Slot { index, extent }),
            (None, None) => None,
            (Some(_), None) => return Err(self.before("`at` needs an extent, `below … of …`".to_string())),
            (None, Some(_)) => return Err(self.before("an extent needs a place, `term … at …`".to_string())),
        };
        let own = match (op, term) {
            (ReduceOp::Count, _) => Type::I64,
            (ReduceOp::Sum | ReduceOp::Min | ReduceOp::Max, Term::Value(value) | Term::Product(value, _)) => {
                self.kernel.values[value].ty
            }
        };
        if self.values.contains_key(&name) {
            return Err(self.before(format!("`{name}` is defined already")));
        }
        let result = self.add(name, stated.unwrap_or(own), Op::Defined);
        self.push(Stmt::Reduce(Reduce { op, order, index, count, body, term, gate, slot, result }));
        Ok(())
    }

    /// Elements of a buffer, behind the word that says what is done with them.
    fn elements(&mut self) -> Parsed<(BufferId, ValueId, ValueId)> {
        self.at += 1;
        let buffer = self.buffer()?;
        let start = self.index()?;
        self.keyword("below")?;
        Ok((buffer, start, self.operand()?))
    }

    fn fill(&mut self) -> Parsed<()> {
        let (into, start, count) = self.elements()?;
        self.sign("=")?;
        let with = match self.peek() {
            Token::Word(word) if word == "words" => Filling::Words(self.random()?),
            Token::Word(word) if word == "normals" => Filling::Normals(self.random()?),
            _ => Filling::Function(self.one_of("a function", find_math)?),
        };
        self.sign(";")?;
        self.push(Stmt::Fill(Fill { into, start, count, with }));
        Ok(())
    }

    fn fetch(&mut self) -> Parsed<()> {
        let (buffer, start, count) = self.elements()?;
        self.sign(";")?;
        self.push(Stmt::Fetch(Fetch { buffer, start, count }));
        Ok(())
    }

    fn tile(&mut self) -> Parsed<()> {
        self.at += 1;
        let into = self.buffer()?;
        self.sign("(")?;
        self.keyword("stride")?;
        let tile_stride = self.operand()?;
        self.sign(",")?;
        self.keyword("from")?;
        let tile_start = self.operand()?;
        self.sign(")")?;
        self.sign("=")?;
        let (left, rows) = self.factor()?;
        self.sign("*")?;
        let (right, columns) = self.factor()?;
        self.keyword("over")?;
        let depth = self.operand()?;
        self.sign(";")?;
        self.push(Stmt::Tile(TileProduct {
            left,
            right,
            into,
            strides: [rows[0], columns[0]],
            origin: [rows[1], columns[1]],
            size: [rows[2], columns[2]],
            depth,
            tile_stride,
            tile_start,
        }));
        Ok(())
    }

    /// A factor of a tile product: its buffer, stride, origin and size.
    fn factor(&mut self) -> Parsed<(BufferId, [ValueId; 3])> {
        let buffer = self.buffer()?;
        self.sign("(")?;
        self.keyword("stride")?;
        let stride = self.operand()?;
        self.sign(",")?;
        self.keyword("from")?;
        let from = self.operand()?;
        self.sign(",")?;
        self.keyword("size")?;
        let size = self.operand()?;
        self.sign(")")?;
        Ok((buffer, [stride, from, size]))
    }
}
