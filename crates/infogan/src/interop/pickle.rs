//! The stack machine of Python's pickles, with nothing in it that could run code.
//!
//! Every operation makes one value at most and every value is made once, so the machine takes memory in proportion to
//! the bytes it reads, and these are bounded.

use std::collections::BTreeMap;

use super::{
    archive::clip,
    error::{Fault, damaged, refused},
    opcodes::{self as op, Global, Value},
    storage::{StorageRef, TensorRef},
};

/// Longest pickle, in bytes: names and shapes of a hundred thousand tensors.
const PICKLE_LIMIT: usize = 16 << 20;
/// Most values of a pickle.
const VALUE_LIMIT: usize = 1 << 20;
/// Longest key of a storage, in bytes. Every tensor holds a copy of its key.
const KEY_LIMIT: usize = 64;
/// Longest whole number, in bytes.
const INT_LIMIT: usize = 16;

/// What a pickle left behind.
#[derive(Debug)]
pub(super) struct Pickle {
    /// All values; containers hold positions in here.
    pub(super) values: Vec<Value>,
    /// Position of the result.
    pub(super) root: usize,
    /// Bytes read.
    pub(super) length: usize,
}

impl Pickle {
    /// Runs the pickle at the front of `bytes`.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Fault> {
        let bounded = bytes.get(..PICKLE_LIMIT).unwrap_or(bytes);
        Machine {
            bytes: bounded,
            at: 0,
            values: Vec::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: BTreeMap::new(),
            copied: 0,
        }
        .run()
    }

    /// The result.
    pub(super) fn root(&self) -> &Value {
        &self.values[self.root]
    }
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    values: Vec<Value>,
    stack: Vec<usize>,
    /// Heights of the stack where marks lie.
    marks: Vec<usize>,
    memo: BTreeMap<u32, usize>,
    /// Pairs copied from lists into dictionaries: the one operation that makes more than it reads.
    copied: usize,
}

impl Machine<'_> {
    fn run(mut self) -> Result<Pickle, Fault> {
        loop {
            let at = self.at;
            let code = self.byte()?;
            match code {
                op::STOP => {
                    let root = self.pop()?;
                    return Ok(Pickle { values: self.values, root, length: self.at });
                }
                op::PROTO => {
                    self.byte()?;
                }
                op::FRAME => {
                    self.take(8)?;
                }
                op::MARK => self.marks.push(self.stack.len()),
                op::POP => {
                    self.pop()?;
                }
                op::POP_MARK => {
                    self.above_mark()?;
                }
                op::NONE => self.push(Value::None)?,
                op::NEWTRUE => self.push(Value::Bool(true))?,
                op::NEWFALSE => self.push(Value::Bool(false))?,
                op::BININT => {
                    let number = self.number(4)? as u32;
                    self.push(Value::Int(i128::from(number.cast_signed())))?;
                }
                op::BININT1 => self.whole(1)?,
                op::BININT2 => self.whole(2)?,
                op::LONG1 => self.long()?,
                op::BINFLOAT => {
                    self.take(8)?;
                    self.push(Value::Float)?;
                }
                op::BINUNICODE => self.text(4)?,
                op::SHORT_BINUNICODE => self.text(1)?,
                op::EMPTY_LIST => self.push(Value::List(Vec::new()))?,
                op::EMPTY_TUPLE => self.push(Value::Tuple(Vec::new()))?,
                op::EMPTY_DICT => self.push(Value::Dict(Vec::new()))?,
                op::TUPLE => {
                    let items = self.above_mark()?;
                    self.push(Value::Tuple(items))?;
                }
                op::TUPLE1 => self.tuple(1)?,
                op::TUPLE2 => self.tuple(2)?,
                op::TUPLE3 => self.tuple(3)?,
                op::APPEND => {
                    let item = vec![self.pop()?];
                    self.append(item)?;
                }
                op::APPENDS => {
                    let items = self.above_mark()?;
                    self.append(items)?;
                }
                op::SETITEM => {
                    let value = self.pop()?;
                    let items = vec![self.pop()?, value];
                    self.set(&items)?;
                }
                op::SETITEMS => {
                    let items = self.above_mark()?;
                    self.set(&items)?;
                }
                op::BINPUT => self.put(1)?,
                op::LONG_BINPUT => self.put(4)?,
                op::MEMOIZE => {
                    let (next, top) = (self.memo.len() as u32, self.top()?);
                    self.memo.insert(next, top);
                }
                op::BINGET => self.get(1)?,
                op::LONG_BINGET => self.get(4)?,
                op::GLOBAL => {
                    let (module, name) = (self.line()?, self.line()?);
                    self.global(&module, &name)?;
                }
                op::STACK_GLOBAL => {
                    let (name, module) = (self.pop()?, self.pop()?);
                    match (&self.values[module], &self.values[name]) {
                        (Value::Text(module), Value::Text(name)) => {
                            let (module, name) = (module.clone(), name.clone());
                            self.global(&module, &name)?;
                        }
                        _ => return damaged("its pickle names a function by something that is no text"),
                    }
                }
                op::BINPERSID => self.storage()?,
                op::REDUCE | op::NEWOBJ => self.call()?,
                op::BUILD => self.build()?,
                other => {
                    return refused(format!(
                        "its pickle uses the operation 0x{other:02x} at byte {at}, which no list of tensors needs"
                    ));
                }
            }
        }
    }

    fn take(&mut self, count: usize) -> Result<&[u8], Fault> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let Some(taken) = rest.get(..count) else {
            return damaged(format!("its pickle is cut short or longer than {PICKLE_LIMIT} bytes"));
        };
        self.at += count;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Fault> {
        Ok(self.take(1)?[0])
    }

    fn number(&mut self, width: usize) -> Result<u64, Fault> {
        Ok(self.take(width)?.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }

    fn push(&mut self, value: Value) -> Result<(), Fault> {
        if self.values.len() == VALUE_LIMIT {
            return refused(format!("its pickle makes more than {VALUE_LIMIT} values"));
        }
        self.stack.push(self.values.len());
        self.values.push(value);
        Ok(())
    }

    /// Nothing below the last mark may be taken.
    fn pop(&mut self) -> Result<usize, Fault> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() > floor
            && let Some(top) = self.stack.pop()
        {
            return Ok(top);
        }
        damaged("its pickle takes a value that is not there")
    }

    fn top(&mut self) -> Result<usize, Fault> {
        let top = self.pop()?;
        self.stack.push(top);
        Ok(top)
    }

    fn above_mark(&mut self) -> Result<Vec<usize>, Fault> {
        match self.marks.pop() {
            Some(mark) => Ok(self.stack.split_off(mark)),
            None => damaged("its pickle goes back to a mark that is not there"),
        }
    }

    fn whole(&mut self, width: usize) -> Result<(), Fault> {
        let number = self.number(width)?;
        self.push(Value::Int(i128::from(number)))
    }

    fn long(&mut self) -> Result<(), Fault> {
        let length = usize::from(self.byte()?);
        if length > INT_LIMIT {
            return refused(format!("its pickle holds a whole number of {length} bytes"));
        }
        let bytes = self.take(length)?;
        // Two's complement, little-endian, of any length.
        let negative = bytes.last().is_some_and(|&top| top >= 0x80);
        let fill = if negative { -1 } else { 0 };
        let number = bytes.iter().rev().fold(fill, |number: i128, &byte| number << 8 | i128::from(byte));
        self.push(Value::Int(number))
    }

    fn text(&mut self, width: usize) -> Result<(), Fault> {
        let length = self.number(width)? as usize;
        let text = std::str::from_utf8(self.take(length)?).map(str::to_owned);
        match text {
            Ok(text) => self.push(Value::Text(text)),
            Err(_) => damaged("its pickle holds text that is not UTF-8"),
        }
    }

    fn tuple(&mut self, count: usize) -> Result<(), Fault> {
        let mut items = (0..count).map(|_| self.pop()).collect::<Result<Vec<_>, _>>()?;
        items.reverse();
        self.push(Value::Tuple(items))
    }

    fn append(&mut self, items: Vec<usize>) -> Result<(), Fault> {
        let list = self.top()?;
        match &mut self.values[list] {
            Value::List(list) => list.extend(items),
            _ => return damaged("its pickle appends to something that is no list"),
        }
        Ok(())
    }

    fn set(&mut self, items: &[usize]) -> Result<(), Fault> {
        let dict = self.top()?;
        let (pairs, rest) = items.as_chunks::<2>();
        match &mut self.values[dict] {
            Value::Dict(dict) if rest.is_empty() => {
                dict.extend(pairs.iter().map(|&[key, value]| (key, value)))
            }
            _ => return damaged("its pickle sets a key of something that is no dictionary"),
        }
        Ok(())
    }

    fn put(&mut self, width: usize) -> Result<(), Fault> {
        let (index, top) = (self.number(width)? as u32, self.top()?);
        self.memo.insert(index, top);
        Ok(())
    }

    fn get(&mut self, width: usize) -> Result<(), Fault> {
        let index = self.number(width)? as u32;
        match self.memo.get(&index) {
            Some(&value) => self.stack.push(value),
            None => return damaged("its pickle remembers a value that is not there"),
        }
        Ok(())
    }

    fn line(&mut self) -> Result<String, Fault> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let Some(length) = rest.iter().position(|&byte| byte == b'\n') else {
            return damaged("its pickle is cut short in a name");
        };
        let line = String::from_utf8_lossy(&rest[..length]).into_owned();
        self.at += length + 1;
        Ok(line)
    }

    fn global(&mut self, module: &str, name: &str) -> Result<(), Fault> {
        match Global::of(module, name) {
            Some(global) => self.push(Value::Global(global)),
            None => refused(format!(
                "names the Python object {}.{}, and only tensors, numbers, text and containers of them are read",
                clip(module).escape_debug(),
                clip(name).escape_debug()
            )),
        }
    }

    /// `('storage', type, key, place, elements)`, with which PyTorch points to numbers outside the pickle.
    fn storage(&mut self) -> Result<(), Fault> {
        let id = self.pop()?;
        let Value::Tuple(parts) = &self.values[id] else { return damaged(BAD_STORAGE) };
        let part = |index: usize| parts.get(index).map(|&part| &self.values[part]);
        let storage = match (part(0), part(1), part(2), part(4), part(5)) {
            (
                Some(Value::Text(tag)),
                Some(Value::Global(Global::Storage(dtype))),
                Some(Value::Text(key)),
                Some(Value::Int(elements)),
                None | Some(Value::None),
            ) if tag == "storage" && key.len() <= KEY_LIMIT => {
                StorageRef { dtype: *dtype, key: key.clone(), elements: size(*elements)? }
            }
            _ => return damaged(BAD_STORAGE),
        };
        self.push(Value::Storage(storage))
    }

    /// One of the few functions that there are.
    fn call(&mut self) -> Result<(), Fault> {
        let (arguments, function) = (self.pop()?, self.pop()?);
        let Value::Tuple(arguments) = &self.values[arguments] else {
            return damaged("its pickle calls a function without a tuple of arguments");
        };
        let argument = |index: usize| arguments.get(index).map(|&argument| &self.values[argument]);
        let made = match (&self.values[function], argument(0)) {
            (Value::Global(Global::OrderedDict), None) => Value::Dict(Vec::new()),
            (Value::Global(Global::OrderedDict), Some(Value::List(pairs))) => {
                self.copied += pairs.len();
                if self.copied > VALUE_LIMIT {
                    return refused(format!("its pickle copies more than {VALUE_LIMIT} values"));
                }
                Value::Dict(self.pairs(pairs)?)
            }
            (Value::Global(Global::Size), Some(Value::Tuple(_) | Value::List(_)))
            | (Value::Global(Global::RebuildParameter), Some(Value::Tensor(_))) => {
                self.stack.push(arguments[0]);
                return Ok(());
            }
            (Value::Global(Global::RebuildTensor), Some(Value::Storage(storage))) => {
                let (Some(Value::Int(offset)), Some(shape), Some(strides)) =
                    (argument(1), argument(2), argument(3))
                else {
                    return damaged("its pickle builds a tensor from something else than a storage");
                };
                Value::Tensor(TensorRef {
                    storage: storage.clone(),
                    offset: size(*offset)?,
                    shape: self.sizes(shape)?,
                    strides: self.sizes(strides)?,
                })
            }
            (Value::Global(global), _) => {
                return damaged(format!("its pickle calls {global:?} with arguments it does not take"));
            }
            _ => return refused("its pickle calls something that is no function"),
        };
        self.push(made)
    }

    fn pairs(&self, pairs: &[usize]) -> Result<Vec<(usize, usize)>, Fault> {
        let pair = |&pair: &usize| match &self.values[pair] {
            Value::Tuple(pair) | Value::List(pair) if pair.len() == 2 => Ok((pair[0], pair[1])),
            _ => damaged("its pickle makes a dictionary of something that is no pair"),
        };
        pairs.iter().map(pair).collect()
    }

    fn sizes(&self, value: &Value) -> Result<Vec<usize>, Fault> {
        let of = |&item: &usize| match &self.values[item] {
            Value::Int(number) => size(*number),
            _ => damaged("its pickle gives a tensor a size that is no number"),
        };
        match value {
            // More dimensions than are read need not be copied.
            Value::Tuple(items) | Value::List(items) if items.len() <= super::RANK_LIMIT => {
                items.iter().map(of).collect()
            }
            _ => damaged(format!("its pickle gives a tensor no sizes, or more than {}", super::RANK_LIMIT)),
        }
    }

    /// Attributes of an object: those of a dictionary hold versions of modules, and nothing else has any here.
    fn build(&mut self) -> Result<(), Fault> {
        self.pop()?;
        let target = self.top()?;
        match &self.values[target] {
            Value::Dict(_) | Value::Tensor(_) => Ok(()),
            _ => refused("its pickle sets attributes of something that is no dictionary"),
        }
    }
}

const BAD_STORAGE: &str = "its pickle points to numbers in a way that PyTorch does not";

/// A size, a stride, an offset.
fn size(number: i128) -> Result<usize, Fault> {
    // Half of what a count may be: sums of two cannot overflow.
    usize::try_from(number)
        .ok()
        .filter(|&number| number <= isize::MAX as usize)
        .ok_or_else(|| Fault::Damaged(format!("claims a size of {number}")))
}
