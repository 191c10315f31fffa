//! Dead code: drops expressions that no write needs. States themselves stay, since the host may read them.

use crate::arena::HandleMap;
use crate::flow::{Flow, Graph, Write};
use crate::ir::{Expr, ExprId, operands};

/// The flow without expressions that no write needs. The trace, which only explains, is dropped with them.
pub fn dead(flow: &Flow) -> Flow {
    let mut graph = Graph::new();
    let mut map: HandleMap<Expr, ExprId> = HandleMap::default();
    for id in operands::reachable(flow.graph.exprs(), flow.writes.iter().map(|write| write.value)) {
        let expr = flow.graph.get(id);
        let kind = expr.kind.map_operands(|operand| map[&operand]);
        map.insert(id, graph.add(Expr { kind, ty: expr.ty, shape: expr.shape }, flow.graph.span(id)));
    }
    let writes = flow.writes.iter().map(|write| Write { value: map[&write.value], ..*write }).collect();
    Flow { graph, writes, trace: Vec::new(), precision: flow.precision }
}
