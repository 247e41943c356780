export { type BusHarness, describeBus } from './compliance/bus.js';
export { describeShareSink, type ShareSinkHarness } from './compliance/share-sink.js';
export { describeTemplateSource, type TemplateSourceHarness } from './compliance/template-source.js';
