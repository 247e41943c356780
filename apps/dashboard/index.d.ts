/** Folder of the built page: give it to whatever serves static files. */
export declare const dashboardFolder: URL;
