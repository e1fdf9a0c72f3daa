import * as t from "@bufbuild/cel-spec/testdata/tests.js";
console.log(Object.keys(t));
