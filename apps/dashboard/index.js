/** Folder of the built page: give it to whatever serves static files. */
export const dashboardFolder = new URL('./dist/', import.meta.url);
